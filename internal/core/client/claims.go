package client

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Wanted is how a request asks for one claim (OpenID Connect Core section
// 5.5.1). The zero value is a claim that is asked for by its name alone.
type Wanted struct {
	Essential bool             `json:"essential,omitzero"`
	Value     jsontext.Value   `json:"value,omitzero"`
	Values    []jsontext.Value `json:"values,omitempty"`
}

// texts are the values that would do, those that are texts.
func (w Wanted) texts() []string {
	var out []string
	for _, v := range append(w.Values, w.Value) {
		var s string
		if v.Kind() == '"' && json.Unmarshal(v, &s) == nil {
			out = append(out, s)
		}
	}
	return out
}

// A WantedClaims is the claims parameter of a request.
type WantedClaims struct {
	UserInfo map[string]*Wanted `json:"userinfo,omitempty"`
	IDToken  map[string]*Wanted `json:"id_token,omitempty"`
}

// Wants reads the claims parameter. Members that nobody knows mean nothing.
func (r Request) Wants() (w WantedClaims, ok bool) {
	if r.Claims == "" {
		return w, true
	}
	raw := jsontext.Value(r.Claims)
	return w, raw.IsValid() && raw.Kind() == '{' && json.Unmarshal(raw, &w) == nil
}

// ClaimScopes are the scopes under which people allow what may be asked for by
// name.
var ClaimScopes = map[string]string{"name": "profile", "email": "email", "email_verified": "email"}

// byClaim are the scopes of what a request asks for by the names of claims:
// people allow both in the same sentence.
func (r Request) byClaim() []string {
	w, _ := r.Wants()
	var out []string
	for name, scope := range ClaimScopes {
		_, told := w.UserInfo[name]
		_, signed := w.IDToken[name]
		if (told || signed) && !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	slices.Sort(out)
	return out
}

// InIDToken are the claims that a request wants to find in the ID token.
func (r Request) InIDToken() []string {
	w, _ := r.Wants()
	var out []string
	for name := range ClaimScopes {
		if _, asked := w.IDToken[name]; asked {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Means is the one person whom a request is about, as the application knows
// them: of the ID token that it sent as a hint, or by the value of sub. Empty
// is anybody; ok says that both are not of two people.
func (r Request) Means() (subject string, ok bool) {
	w, _ := r.Wants()
	subject = r.Subject
	for _, one := range []*Wanted{w.IDToken["sub"], w.UserInfo["sub"]} {
		if one == nil || one.Value == nil {
			continue
		}
		texts := one.texts()
		if len(texts) != 1 || subject != "" && subject != texts[0] {
			return "", false
		}
		subject = texts[0]
	}
	return subject, true
}

// MustReach are the levels of which one is essential to the application; none
// when any will do. What acr_values asks for, and a claim that is not
// essential, is given where it can be (OpenID Connect Core section 5.5.1.1).
func (r Request) MustReach() []string {
	w, _ := r.Wants()
	if acr := w.IDToken["acr"]; acr != nil && acr.Essential {
		if texts := acr.texts(); len(texts) > 0 {
			return texts
		}
		return strings.Fields(r.ACR)
	}
	return nil
}
