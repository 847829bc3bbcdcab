package doorward

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// proofType is the typ of a DPoP proof (RFC 9449 section 4.2).
const proofType = "dpop+jwt"

// Bounds of a DPoP proof (RFC 9449), as the server has them.
const (
	maxProof   = 4 << 10
	maxProofID = 256
	proofPast  = 60 * time.Second
	proofAhead = 10 * time.Second
	proofKept  = 120 * time.Second // how long a used proof is remembered
)

// fullySpecified is EdDSA over Ed25519 by its name of RFC 9864.
const fullySpecified jose.SignatureAlgorithm = "Ed25519"

// proofAlgorithms are those that a proof may be signed with.
var proofAlgorithms = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, fullySpecified, jose.PS256, jose.RS256}

// proofAlgs is the list as challenges have it (RFC 9449 section 7.1).
var proofAlgs = func() string {
	var names []string
	for _, a := range proofAlgorithms {
		names = append(names, string(a))
	}
	return strings.Join(names, " ")
}()

// A proof is what a DPoP proof says, once its own key was found to have signed it.
type proof struct {
	thumb                              string // of its key
	id, method, address, access, nonce string // jti, htm, htu, ath
	issued                             int64
}

// unproved refuses a proof. The token beside it is good, so its holder may know why.
func unproved(check, detail string) error {
	r := refuse(check, detail)
	r.Title, r.code, r.named, r.dpop = "The proof of the token's key was not accepted.", "invalid_dpop_proof", true, true
	return r
}

// sender refuses a good token that does not come from the holder of what it is
// bound to: without the certificate; a bound one as Bearer (RFC 9449 section 7.2), or without a proof
// of that key for this request.
func (a *attempt) sender(token string, c *claims) error {
	wrong := func(detail string) error {
		r := refuse(checkSender, detail)
		r.named, r.dpop = true, c.jkt != ""
		return r
	}
	if err := a.beside(c); err != nil {
		return err
	}
	if !a.dpop {
		switch {
		case c.jkt != "":
			return wrong("the token is bound to a key, and came as Bearer")
		case c.bound && c.x5t == "":
			return wrong("the token is bound in a way that cannot be proved here")
		}
		return nil
	}
	headers := a.r.Header["Dpop"]
	if len(headers) != 1 {
		return unproved(checkProofForm, "there must be one DPoP header")
	}
	now := a.v.now()
	p, err := readProof(headers[0])
	if err == nil {
		err = a.v.fits(p, a.r, token, now)
	}
	switch {
	case err != nil:
		return err
	case c.jkt == "":
		return wrong("the token is not bound to a key, and came with a proof")
	case p.thumb != c.jkt:
		return wrong("the proof is of another key than the token's")
	case !a.look && !a.v.seen.first(p, now):
		return unproved(checkProofUnspent, "the proof was used before")
	}
	return nil
}

// readProof reads a proof and finds that the key in its header signed it
// (RFC 9449 section 4.3).
func readProof(sent string) (proof, error) {
	malformed := func(detail string) (proof, error) { return proof{}, unproved(checkProofForm, detail) }
	if len(sent) > maxProof {
		return malformed("the proof is longer than 4 KiB")
	}
	head, payload, signature, err := splitToken(sent)
	if err != nil {
		return malformed("the proof is no JWT")
	}
	header, herr := strict.DecodeString(head)
	said, perr := strict.DecodeString(payload)
	sig, serr := strict.DecodeString(signature)
	if herr != nil || perr != nil || serr != nil {
		return malformed("a part of the proof is not base64url")
	}
	var algorithm, typ string
	var jwk []byte
	elsewhere := false
	err = members(header, func(name string, value []byte) (err error) {
		switch name {
		case "alg":
			algorithm, err = text(value)
		case "typ":
			typ, err = text(value)
		case "jwk":
			jwk = value
		case "jku", "x5u", "x5c":
			elsewhere = true
		case "crit", "b64", "zip":
			err = errJSON
		}
		return err
	})
	if err != nil || typ != proofType {
		return malformed("the header is not that of a dpop+jwt")
	}
	alg := jose.SignatureAlgorithm(algorithm)
	if !slices.Contains(proofAlgorithms, alg) || elsewhere || jwk == nil {
		return proof{}, unproved(checkProofKey, "alg is not on the list, or there is not one key in the header")
	}
	public, thumb, ok := readProofKey(jwk, alg)
	if !ok {
		return proof{}, unproved(checkProofKey, "the key is not a public one for "+algorithm)
	}
	if !signedBy(public, alg, sent, sig) {
		return proof{}, unproved(checkProofSigned, "the signature does not fit")
	}
	p := proof{thumb: thumb, issued: -1}
	err = members(said, func(name string, value []byte) (err error) {
		switch name {
		case "jti":
			p.id, err = text(value)
		case "htm":
			p.method, err = text(value)
		case "htu":
			p.address, err = text(value)
		case "ath":
			p.access, err = text(value)
		case "nonce":
			p.nonce, err = text(value)
		case "iat":
			p.issued, err = whole(value)
		}
		return err
	})
	if err != nil || p.id == "" || len(p.id) > maxProofID || p.method == "" || p.address == "" || p.issued < 0 {
		return malformed("jti, htm, htu or iat is missing or of the wrong kind")
	}
	return p, nil
}

// readProofKey reads a public key for one algorithm, and its thumbprint. A
// private member refuses it whatever its value: that key was given away.
func readProofKey(data []byte, alg jose.SignatureAlgorithm) (public crypto.PublicKey, thumb string, ok bool) {
	says, ops := map[string]string{}, []string(nil)
	err := members(data, func(name string, value []byte) (err error) {
		switch name {
		case "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv":
			err = errJSON
		case "use", "alg":
			says[name], err = text(value)
		case "key_ops":
			ops, err = texts(value)
		}
		return err
	})
	if err != nil || says["use"] != "" && says["use"] != "sig" || says["alg"] != "" && says["alg"] != string(alg) ||
		ops != nil && !slices.Contains(ops, "verify") {
		return nil, "", false
	}
	var j jose.JSONWebKey
	if j.UnmarshalJSON(data) != nil || !j.Valid() || !j.IsPublic() {
		return nil, "", false
	}
	if j.Algorithm = string(alg); alg == fullySpecified {
		j.Algorithm = string(jose.EdDSA)
	}
	if r, is := j.Key.(*rsa.PublicKey); is && (r.N.BitLen() > 4096 || r.E < 3 || r.E&1 == 0) {
		return nil, "", false
	}
	k := newKey(j)
	if k == nil {
		return nil, "", false
	}
	return k.public, base64.RawURLEncoding.EncodeToString([]byte(k.thumb)), true
}

func signedBy(public crypto.PublicKey, alg jose.SignatureAlgorithm, text string, signature []byte) bool {
	if k, is := public.(ed25519.PublicKey); is {
		return ed25519.Verify(k, []byte(text[:strings.LastIndexByte(text, '.')]), signature)
	}
	return (&key{algorithm: alg, public: public}).verify(text) == nil
}

// fits refuses a proof that is not for this request, this token and this instant.
func (v *Verifier) fits(p proof, r *http.Request, token string, now time.Time) error {
	at, sum := time.Unix(p.issued, 0), sha256.Sum256([]byte(token))
	switch {
	case p.method != r.Method:
		return unproved(checkProofMethod, "the proof is for "+quoted(p.method))
	case !sameAddress(p.address, v.address(r)):
		return unproved(checkProofAddress, "the proof is for "+quoted(p.address)+", this is "+quoted(v.address(r))+"; behind a proxy say doorward.PublicURL")
	case at.Before(now.Add(-proofPast)) || at.After(now.Add(proofAhead)):
		return unproved(checkProofTime, "the proof was made at "+at.UTC().Format(time.RFC3339)+", here it is "+now.UTC().Format(time.RFC3339))
	case !v.nonces.holds(p.nonce, now):
		err := unproved(checkProofNonce, "the proof must carry the nonce of this answer").(*Refusal)
		err.code, err.nonce = "use_dpop_nonce", v.nonces.now(now)
		return err
	case subtle.ConstantTimeCompare([]byte(p.access), []byte(base64.RawURLEncoding.EncodeToString(sum[:]))) == 0:
		return unproved(checkProofToken, "the proof is for another access token")
	}
	return nil
}

// address is where a request came to, as whoever sent it knows it: below the
// public URL when there is one, else as this process sees it.
func (v *Verifier) address(r *http.Request) string {
	path := r.URL.EscapedPath()
	// What was asked for, not what a router in front of the guard made of it.
	if asked, _, _ := strings.Cut(r.RequestURI, "?"); strings.HasPrefix(asked, "/") {
		path = asked
	}
	if v.public != "" {
		return v.public + path
	}
	if r.TLS != nil {
		return "https://" + r.Host + path
	}
	return "http://" + r.Host + path
}

// sameAddress compares addresses without query and fragment, after the
// normalization of RFC 3986 sections 6.2.2 and 6.2.3.
func sameAddress(a, b string) bool {
	x, xok := normalized(a)
	y, yok := normalized(b)
	return xok && yok && x == y
}

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
// digits of all others large.
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
		c, err := url.PathUnescape(escape)
		if err == nil && len(c) == 1 && (c[0]|0x20 >= 'a' && c[0]|0x20 <= 'z' || c[0] >= '0' && c[0] <= '9' || strings.Contains("-._~", c)) {
			escape = c
		}
		b.WriteString(escape)
	}
	return b.String()
}

// seenAtMost is how many proofs one generation of seen holds.
const seenAtMost = 1 << 16

// seen remembers used proofs for as long as they could be good, in this
// process. It is bounded: a flood makes it forget early.
type seen struct {
	mu         sync.Mutex
	young, old map[[sha256.Size]byte]struct{}
	turned     time.Time
}

// first says whether a proof is seen for the first time. No other key takes
// the id of this one's proofs.
func (s *seen) first(p proof, now time.Time) bool {
	id := sha256.Sum256([]byte(p.thumb + "." + p.id))
	s.mu.Lock()
	defer s.mu.Unlock()
	if age := now.Sub(s.turned); age >= proofKept || age < 0 || len(s.young) >= seenAtMost {
		if s.old = s.young; age >= 2*proofKept {
			s.old = nil
		}
		s.young, s.turned = make(map[[sha256.Size]byte]struct{}), now
	}
	_, old := s.old[id]
	_, young := s.young[id]
	s.young[id] = struct{}{}
	return !old && !young
}
