package doorward

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// A Check is one thing that had to hold for a request.
type Check struct {
	ID     string `json:"check"`
	Held   bool   `json:"held"`
	Detail string `json:"detail,omitempty"` // why it did not
}

// The checks of a token in the order in which they run.
var (
	inOrderOfJWT = []string{checkPlace, checkPresent, checkForm, checkType, checkAlgorithm, checkKey, checkSignature, checkIssuer, checkAudience, checkTime, checkRevoked}
	// An opaque token says nothing by itself: the server is asked about it.
	inOrderOfOpaque = []string{checkPlace, checkPresent, checkForm, checkReach, checkIssuer, checkAudience, checkTime, checkRevoked}
	// A token that is bound to a key comes with a proof.
	inOrderOfProof = []string{checkProofForm, checkProofKey, checkProofSigned, checkProofMethod, checkProofAddress, checkProofTime, checkProofNonce, checkProofToken, checkSender, checkProofUnspent}
)

// Explain judges a request again and says which checks it passes, in order, up
// to the first that fails. Behind [Verifier.Require] the route's guards are
// among them. It is for development and support: what it says of a token that
// was refused is not for whoever sent it.
func (v *Verifier) Explain(r *http.Request) []Check {
	a := &attempt{v: v, r: r, look: true}
	if behind, _ := r.Context().Value(contextKey{}).(*attempt); behind != nil && behind.v == v {
		a.guards = behind.guards
	}
	return a.explained(a.run())
}

// explained lists the checks of an attempt that ended with err.
func (a *attempt) explained(err error) (all []Check) {
	ids := inOrderOfJWT
	token, dpop, _ := credentials(a.r)
	if strings.HasPrefix(token, opaquePrefix) {
		ids = inOrderOfOpaque
	}
	if a.v.feed == nil {
		ids = ids[:len(ids)-1] // nothing is revoked for a stateless verifier
	}
	ids = slices.Clone(ids)
	ids = append(ids, checkCertificate)
	if dpop {
		ids = append(ids, inOrderOfProof...)
	} else {
		ids = append(ids, checkSender)
	}
	for _, g := range a.guards {
		ids = append(ids, g.name)
	}
	var r *Refusal
	if err != nil && !errors.As(err, &r) {
		r = unsure(checkRan, "the request ended before it was judged")
	}
	// What cannot be known is said at the place of what would be known.
	stops := len(ids)
	if r != nil {
		stops = a.stopped(ids, r.Check)
	}
	for _, id := range ids[:stops] {
		all = append(all, Check{ID: id, Held: true})
	}
	if r != nil {
		detail := r.Detail
		if a.private != "" {
			detail = a.private
		}
		all = append(all, Check{ID: r.Check, Detail: detail})
	}
	return all
}

// stopped is how many of the checks held before the one that failed.
func (a *attempt) stopped(ids []string, failed string) int {
	tokens := len(ids) - len(a.guards)
	if a.who != nil { // the token is good: it was a guard
		return tokens + min(a.held, len(a.guards))
	}
	if n := slices.Index(ids[:tokens], failed); n >= 0 {
		return n
	}
	if n := slices.Index(ids[:tokens], checkKey); failed == checkReach && n >= 0 && a.v.keys.usable(a.v.now()) == nil {
		return n
	}
	return max(slices.Index(ids[:tokens], checkRevoked), 0)
}
