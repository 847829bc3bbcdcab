package oauth

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/edge/door"
)

var grantKnown = check.New(check.Check{Number: 904, ID: "grant.known", Fault: fault.Unacceptable, Shown: "grant.known", Code: "unsupported_grant_type",
	Says: "There is such a grant: neither password nor implicit is one.", Source: "RFC 6749 section 5.2; RFC 9700 sections 2.1.2 and 2.4",
	Title: "There is no such grant here.", Stops: []string{"OAU-17"}})

// A tokenRequest is a request to the token endpoint, once it was read.
type tokenRequest struct {
	*http.Request
	form  url.Values
	proof exchange.ClientProof
}

// asked is what the request narrows.
func (t tokenRequest) asked() exchange.Asked {
	return exchange.Asked{Scope: t.form.Get("scope"), Resources: t.form["resource"], Details: t.form.Get("authorization_details")}
}

// grants are what may be traded for tokens, by grant_type.
var grants = map[string]func(*OAuth, tokenRequest) (exchange.Granted, error){
	client.GrantClient:   (*OAuth).clientCredentials,
	client.GrantCode:     (*OAuth).code,
	client.GrantRefresh:  (*OAuth).refresh,
	client.GrantAssert:   (*OAuth).assertion,
	client.GrantDevice:   (*OAuth).device,
	client.GrantExchange: (*OAuth).exchange,
}

// tokenFields are the parameters that some grant knows.
var tokenFields = append([]string{"grant_type", "authorization_details", "scope", "resource", "code", "redirect_uri", "code_verifier", "refresh_token", "assertion", "device_code",
	"subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type", "audience"}, clientFields...)

// A tokenAnswer is RFC 6749 section 5.1.
type tokenAnswer struct {
	Access    string         `json:"access_token"`
	Issued    string         `json:"issued_token_type,omitzero"` // RFC 8693 section 2.2.1
	Type      string         `json:"token_type"`
	ExpiresIn int64          `json:"expires_in"`
	Scope     string         `json:"scope,omitzero"`
	Refresh   string         `json:"refresh_token,omitzero"`
	IDToken   string         `json:"id_token,omitzero"`
	Details   jsontext.Value `json:"authorization_details,omitzero"`
}

func (o *OAuth) token(w http.ResponseWriter, r *http.Request) error {
	f, err := door.OAuthForm(w, r, tokenFields...)
	if err != nil {
		return err
	}
	proof, err := o.clientProof(r, f)
	if err != nil {
		return err
	}
	if len(r.Header["Dpop"]) > 0 {
		if proof.Key, err = o.Exchange.Prove(o.Door.Proof(r)); err != nil {
			return err
		}
	}
	if f.Get("grant_type") == "" {
		return check.Refuse(door.Body, check.As(door.Parameter))
	}
	grant := grants[f.Get("grant_type")]
	if grant == nil {
		return check.Refuse(grantKnown)
	}
	g, err := grant(o, tokenRequest{r, f, proof})
	if err != nil {
		return err
	}
	kind := "Bearer"
	if g.Confirm.JKT != "" {
		kind = "DPoP" // RFC 9449 section 5
	}
	w.Header().Set("Pragma", "no-cache")
	door.WriteJSON(w, "application/json", http.StatusOK, tokenAnswer{Access: g.Access, Issued: g.Issued, Type: kind, ExpiresIn: int64(g.Lifetime(o.Door.Now()).Seconds()),
		Scope: strings.Join(g.Scopes, " "), Refresh: g.Refresh, IDToken: g.IDToken, Details: client.DetailsJSON(g.Details)})
	return nil
}

func (o *OAuth) clientCredentials(t tokenRequest) (exchange.Granted, error) {
	return o.Exchange.ClientCredentials(t.Context(), o.Door.Caller(t.Request), t.proof, t.asked())
}

func (o *OAuth) assertion(t tokenRequest) (exchange.Granted, error) {
	return o.Exchange.Assertion(t.Context(), o.Door.Caller(t.Request), t.proof, t.form.Get("assertion"), t.asked())
}

func (o *OAuth) code(t tokenRequest) (exchange.Granted, error) {
	return o.Exchange.Code(t.Context(), o.Door.Caller(t.Request), t.proof,
		exchange.CodeInput{Code: t.form.Get("code"), Redirect: t.form.Get("redirect_uri"), Verifier: t.form.Get("code_verifier"), Asked: t.asked()})
}

func (o *OAuth) refresh(t tokenRequest) (exchange.Granted, error) {
	return o.Exchange.RefreshGrant(t.Context(), o.Door.Caller(t.Request), t.proof, t.form.Get("refresh_token"), t.asked())
}
