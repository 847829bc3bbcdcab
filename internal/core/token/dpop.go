package token

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/key"
)

// ProofType is the typ of a DPoP proof (RFC 9449 section 4.2).
const ProofType = "dpop+jwt"

// ProofAlgs are the algorithms that a proof may be signed with: those of
// public keys, and of RSA the two with SHA-256.
var ProofAlgs = []jose.Alg{jose.ES256, jose.EdDSA, jose.Ed25519, jose.PS256, jose.RS256}

// ProofAlgNames are they as challenges list them (RFC 9449 section 7.1).
func ProofAlgNames() string {
	var names []string
	for _, a := range ProofAlgs {
		names = append(names, string(a))
	}
	return strings.Join(names, " ")
}

// Bounds of a proof, looked at before anything of it is believed.
const (
	maxProof   = 4 << 10 // bytes of the whole; an RSA key of 4,096 bits fits
	maxProofID = 256     // bytes of jti; a UUID has 36
	maxAddress = 2 << 10 // bytes of htu
)

// How far the iat of a proof may be from this clock (security defaults 3.2).
const (
	ProofPast  = 60 * time.Second
	ProofAhead = 10 * time.Second
)

// ProofKept is how long the jti of a proof is remembered: by then any clock of
// ours finds the proof too old.
const ProofKept = 120 * time.Second

// Checks of DPoP proofs, in the order of judgement.
var (
	ProofForm = check.New(check.Check{Number: 960, ID: "dpop.form", Fault: fault.Proof, Shown: "dpop.form",
		Says: "One DPoP proof was sent: a dpop+jwt within its bounds, with jti, htm, htu and iat, and nothing critical in it.", Source: "RFC 9449 section 4.3",
		Title: "The DPoP proof cannot be read.", Stops: []string{"JWT-10", "JWT-16", "JWT-20"}})
	ProofKey = check.New(check.Check{Number: 961, ID: "dpop.key", Fault: fault.Proof, Shown: "dpop.key",
		Says: "The proof's header has a public key, and an algorithm on our list that is the key's.", Source: "RFC 9449 section 4.3; RFC 8725 section 3.1",
		Title: "The key of the DPoP proof is not one that we take.", Stops: []string{"JWT-01", "JWT-02", "JWT-04"}})
	ProofSigned = check.New(check.Check{Number: 962, ID: "dpop.signature", Fault: fault.Proof, Shown: "dpop.signature",
		Says: "The key in the proof's header signed it.", Source: "RFC 9449 section 4.3",
		Title: "The DPoP proof is not signed by its key."})
	ProofMethod = check.New(check.Check{Number: 963, ID: "dpop.method", Fault: fault.Proof, Shown: "dpop.method",
		Says: "The proof is for the method of this request.", Source: "RFC 9449 section 4.3",
		Title: "The DPoP proof is for another method."})
	ProofAddress = check.New(check.Check{Number: 964, ID: "dpop.address", Fault: fault.Proof, Shown: "dpop.address",
		Says: "The proof is for the address of this request, without query and fragment.", Source: "RFC 9449 section 4.3; RFC 3986 section 6.2",
		Title: "The DPoP proof is for another address."})
	ProofInTime = check.New(check.Check{Number: 965, ID: "dpop.in_time", Fault: fault.Proof, Shown: "dpop.in_time",
		Says: "The proof was made at most a minute ago, and at most ten seconds ahead of our clock.", Source: "RFC 9449 section 11.1; FAPI 2.0 section 5.3.2.1",
		Title: "The DPoP proof is too old, or from the future.", Stops: []string{"JWT-20"}})
	ProofNonce = check.New(check.Check{Number: 966, ID: "dpop.nonce", Fault: fault.Nonce, Shown: "dpop.nonce",
		Says: "The proof carries a nonce that we gave lately, if it carries one or we ask for it.", Source: "RFC 9449 sections 8 and 9",
		Title: "The DPoP proof needs the nonce in this answer."})
	ProofToken = check.New(check.Check{Number: 967, ID: "dpop.token", Fault: fault.Proof, Shown: "dpop.token",
		Says: "The proof names the access token beside it.", Source: "RFC 9449 section 7",
		Title: "The DPoP proof is for another access token."})
	ProofUnspent = check.New(check.Check{Number: 968, ID: "dpop.unspent", Fault: fault.Proof, Shown: "dpop.unspent",
		Says: "The proof was not used before.", Source: "RFC 9449 section 11.1",
		Title: "The DPoP proof was used already."})
)

// Checks of what is bound to the key of a proof.
var (
	ProofDemanded = check.New(check.Check{Number: 969, ID: "dpop.demanded", Fault: fault.Proof, Shown: "dpop.demanded",
		Says: "A proof was sent, if the application is registered to get bound tokens only.", Source: "RFC 9449 section 5.2",
		Title: "This application must send a DPoP proof."})
	GrantSender = check.New(check.Check{Number: 970, ID: "dpop.grant", Fault: fault.Grant, Shown: "dpop.grant",
		Says: "A code or refresh token that is bound to a key or a certificate is used with a proof of it.", Source: "RFC 9449 sections 5 and 10; RFC 8705 section 4",
		Title: "This grant is bound to another key or certificate."})
	AccessSender = check.New(check.Check{Number: 971, ID: "token.sender", Fault: fault.Unauthenticated, Shown: "token.sender",
		Says: "A bound access token comes with a proof of its key, and one that is not comes as Bearer.", Source: "RFC 9449 section 7.2",
		Title: "The access token is bound to a key that was not proved."})
	ProofThumbprint = check.New(check.Check{Number: 972, ID: "dpop.jkt", Fault: fault.Malformed, Shown: "dpop.jkt",
		Says: "A dpop_jkt is a SHA-256 thumbprint, and that of the proof beside it.", Source: "RFC 9449 section 10",
		Title: "The parameter dpop_jkt cannot be read, or names another key than the proof."})
)

// A Proof is what a DPoP proof says once its own key was found to have signed
// it. The zero Proof is of no key.
type Proof struct {
	JKT   string    // the thumbprint of its key, which tokens are bound to
	ID    string    // jti
	At    time.Time // iat
	Nonce string

	method, address, token string // htm, htu, ath
}

// Exists says whether there was a proof.
func (p Proof) Exists() bool { return p.JKT != "" }

// Hash names the proof where used ones are kept: no other key can take its jti.
func (p Proof) Hash() [32]byte { return SpentHash(AsDPoP, p.JKT, []byte(p.ID)) }

// ReadProof reads a proof. Of the three checks that it fails the first is
// returned, and then there is no proof.
func ReadProof(text string) (Proof, *check.Check) {
	if len(text) > maxProof {
		return Proof{}, ProofForm
	}
	raw, k, err := jose.VerifyProof(text, ProofType, ProofAlgs)
	switch {
	case errors.Is(err, jose.ErrKey), errors.Is(err, jose.ErrAlgorithm):
		return Proof{}, ProofKey
	case errors.Is(err, jose.ErrSignature):
		return Proof{}, ProofSigned
	case err != nil:
		return Proof{}, ProofForm
	}
	var in struct {
		ID      string `json:"jti"`
		Method  string `json:"htm"`
		Address string `json:"htu"`
		At      *int64 `json:"iat"`
		Token   string `json:"ath"`
		Nonce   string `json:"nonce"`
	}
	if json.Unmarshal(raw, &in) != nil || in.ID == "" || in.Method == "" || in.Address == "" || in.At == nil ||
		len(in.ID) > maxProofID || len(in.Address) > maxAddress || *in.At < 0 || *in.At > year9999 {
		return Proof{}, ProofForm
	}
	return Proof{JKT: k.Thumbprint(), ID: in.ID, At: time.Unix(*in.At, 0), Nonce: in.Nonce, method: in.Method, address: in.Address, token: in.Token}, nil
}

// A Shown is what a request shows: an access token, unless it is for the token
// endpoint, and a DPoP proof with what that is held against.
type Shown struct {
	Access  string
	DPoP    bool   // the token came with the scheme DPoP, not Bearer
	Proof   string // the DPoP header; empty when there is none, or more than one
	Method  string // of the request
	Address string // that the request came to, as the public knows it
	// Certificate is the hash of the one that the sender showed, for tokens that
	// are bound to it; empty for none.
	Certificate string
}

// Alone is an access token that came with nothing beside it.
func Alone(text string) Shown { return Shown{Access: text} }

// ProofChecks are those that Hold holds.
var ProofChecks = []*check.Check{ProofForm, ProofKey, ProofSigned, ProofMethod, ProofAddress, ProofInTime, ProofNonce, ProofToken}

// Hold holds the checks of a proof in order, up to the first that fails. That
// it was not used before, and whose key it is, is for those who know. strict
// demands a nonce.
func (s Shown) Hold(t *check.Trail, r *key.Ring, strict bool, now time.Time) (Proof, bool) {
	p, flaw := ReadProof(s.Proof)
	for _, c := range ProofChecks[:3] {
		if !t.Hold(c, c != flaw) {
			return Proof{}, false
		}
	}
	ok := t.Hold(ProofMethod, p.method == s.Method) &&
		t.Hold(ProofAddress, sameAddress(p.address, s.Address)) &&
		t.Hold(ProofInTime, !p.At.Before(now.Add(-ProofPast)) && !p.At.After(now.Add(ProofAhead))) &&
		t.Hold(ProofNonce, p.Nonce == "" && !strict || knowsNonce(r, p.Nonce, now)) &&
		t.Hold(ProofToken, s.Access == "" || secret.Equal([]byte(p.token), []byte(HashAccess(s.Access))))
	if !ok {
		return Proof{}, false
	}
	return p, true
}

// HashAccess is how a proof names an access token (ath, RFC 9449 section 4.2).
func HashAccess(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// ValidThumbprint says whether a text can be the SHA-256 thumbprint of a key.
func ValidThumbprint(s string) bool {
	b, ok := secret.Decode(s)
	return ok && len(b) == sha256.Size
}

// sameAddress compares two addresses without query and fragment, after the
// normalization of RFC 3986 sections 6.2.2 and 6.2.3.
func sameAddress(a, b string) bool {
	x, xok := normalized(a)
	y, yok := normalized(b)
	return xok && yok && x == y
}

// normalized is the one spelling of an absolute address: scheme and host
// small, no port that goes without saying, each letter of the path that need
// not be escaped as itself, a path at least "/". Dots are not resolved: nobody
// who signs a proof asks for such a path.
func normalized(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || u.User != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", false
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if addr, err := netip.ParseAddr(host); err == nil && addr.Is6() {
		host = "[" + addr.String() + "]"
	}
	if port != "" && !(u.Scheme == "https" && port == "443") && !(u.Scheme == "http" && port == "80") {
		host += ":" + port
	}
	path := unescaped(u.EscapedPath())
	if path == "" {
		path = "/"
	}
	return u.Scheme + "://" + host + path, true
}

// unescaped writes unreserved characters as themselves and the hexadecimal
// digits of all others large (RFC 3986 sections 6.2.2.1 and 6.2.2.2).
func unescaped(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' || i+2 >= len(path) {
			b.WriteByte(path[i])
			continue
		}
		escape := strings.ToUpper(path[i : i+3])
		i += 2
		if c, err := url.PathUnescape(escape); err == nil && len(c) == 1 && strings.Trim(c, unreserved) == "" {
			b.WriteString(c)
			continue
		}
		b.WriteString(escape)
	}
	return b.String()
}

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
