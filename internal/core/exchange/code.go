package exchange

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var redeem = check.Declare(305, "app.code",
	clientCalm, client.Authentic, client.Standing, clientPace, client.Granted, token.ProofDemanded, token.ProofUnspent,
	token.CodeAuthentic, token.CodeClient, token.CodeUnspent, token.CodeInTime, token.CodeRedirect, token.CodeProved, token.GrantSender, token.CodeStands,
	client.ScopeWithin, client.ResourceWithin, client.RequestDetails)

// CodeInput is a code and what must fit it.
type CodeInput struct {
	Code, Redirect, Verifier string
	Asked                    // resources alone: a code's scopes are what they are
}

// Code trades an authorization code for tokens, once (RFC 6749 section 4.1.3).
func (x *Exchanges) Code(ctx context.Context, by settle.Caller, proof ClientProof, in CodeInput) (Granted, error) {
	var out Granted
	var g agreed
	p := x.proving(ctx, by, proof, true)
	code, ours := token.OpenCode(x.keys.Ring().State, in.Code)
	opening := x.newOpening()
	err := x.pipe.Run(ctx, redeem, by, func(j *settle.Judgement) core.Unit {
		out = Granted{}
		c, ok := p.hold(j, "token", tokenPace)
		if !ok || !j.Hold(client.Granted, c.MayGrant(client.GrantCode)) {
			return nil
		}
		to, ok := p.bind(j, c)
		if !ok || !j.Hold(token.CodeAuthentic, ours) {
			return nil
		}
		j.User, j.Session = code.User, code.Session
		spent := j.Spent(token.AsCode, code.Hash())
		// A code in the wrong hands is spent as well, and so is what it bought
		// (attack OAU-08).
		burnt := token.SpendOnce{Use: token.AsCode, Hash: code.Hash(), Until: code.Expires.Add(codeKept)}
		fits := j.Hold(token.CodeClient, code.Client == c.ID) && j.Hold(token.CodeUnspent, !spent.Exists())
		switch {
		case spent.Exists():
			return x.undo(j, spent, code)
		case !fits:
			return core.Unit{burnt}
		case !j.Hold(token.CodeInTime, j.Now.Before(code.Expires)):
			return nil
		case !j.Hold(token.CodeRedirect, in.Redirect == code.Redirect || in.Redirect == "" && code.Challenge != ""), !j.Hold(token.CodeProved, token.Verifies(code.Challenge, in.Verifier)),
			!j.Hold(token.GrantSender, code.Key == "" || code.Key == to.JKT):
			return core.Unit{burnt}
		}
		g = agreed{client: c, consent: j.Granted(code.Consent), session: j.View.Session(code.Session), user: j.View.User(code.User), terms: code.Terms, nonce: code.Nonce, confirm: to}
		standing := session.Judge(g.session, g.user, j.Now)
		if !j.Hold(token.CodeStands, standing == session.Live && g.user.Cut <= code.Rev && g.session.Cut <= code.Rev && c.Cut <= code.Rev &&
			g.consent.Cut <= code.Rev && g.consent.Covers(code.Scopes)) {
			return nil
		}
		// What the application lost since is not given any more.
		g.scopes = slices.DeleteFunc(slices.Clone(code.Scopes), func(s string) bool { return !c.May(s) })
		if !j.Hold(client.ScopeWithin, len(g.scopes) > 0) {
			return nil
		}
		if g.audience, ok = x.audienceOf(c, code.Terms.Resources, in.Resources, g.scopes); !j.Hold(client.ResourceWithin, ok) {
			return nil
		}
		if g.details, ok = detailsOf(c, code.Terms.Details, in.Details); !j.Hold(client.RequestDetails, ok) {
			return nil
		}
		unit := core.Unit{}
		if c.MayGrant(client.GrantRefresh) {
			var open token.Open
			open, out.Refresh = x.openFor(opening, g, j, code.Scopes)
			unit = append(unit, open)
			burnt.Bought = open.ID[:]
			g.pair.Family = open.ID
		}
		return append(unit, burnt, session.Join{Session: code.Session, Client: c.ID, User: code.User, At: j.Now})
	}, func(p check.Passed, j *settle.Judgement) error { return x.grant(p, j, g, &out) })
	if err != nil {
		return Granted{}, err
	}
	return out, nil
}

// codeKept is how long past its end a code is known to have been used.
const codeKept = 10 * time.Minute

// undo ends what a code bought that is shown a second time: the refresh family
// and every access token of the grant until now (RFC 6749 section 4.1.2).
func (x *Exchanges) undo(j *settle.Judgement, spent token.Spent, code token.Code) core.Unit {
	if !spent.Until.After(j.Now) {
		return nil
	}
	unit := core.Unit{revocation.Next{}, x.event(revocation.Name{Unit: revocation.Grant, ID: code.Consent.String()}, j.Now)}
	if len(spent.Bought) == len(token.FamilyID{}) {
		f := j.Family(token.FamilyID(spent.Bought))
		if f.Exists() && !f.Ended.IsZero() {
			return nil // with its tokens: who has an old code ends nothing newer by it, again and again
		}
		if f.Exists() {
			unit = append(unit, token.Burn{ID: f.ID, At: j.Now})
		}
	}
	return unit
}

// agreed is what tokens are made of for a person's application.
type agreed struct {
	client   client.Client
	consent  client.Consent
	session  session.Session
	user     identity.User
	terms    token.Terms
	scopes   []string
	audience []string
	nonce    string
	details  []string
	pair     token.Pair
	confirm  token.Confirm // what the access token is bound to
}

// audienceOf is whom a token of a grant is for: of the resources that were
// agreed, those asked for now (RFC 8707 section 2.2). With openid this server
// is one of them, for it answers who the person is.
func (x *Exchanges) audienceOf(c client.Client, agreed, asked, scopes []string) ([]string, bool) {
	may := agreed
	if len(may) == 0 {
		may = c.Resources
	}
	resources, ok := within(asked, may)
	if !ok {
		return nil, false
	}
	if len(agreed) == 0 && len(asked) == 0 || slices.Contains(scopes, "openid") {
		return append([]string{x.policy.Issuer}, resources...), true
	}
	return resources, true
}

// detailsOf are the authorization details of a token of a grant: of those that
// were agreed, and that the application may still ask for, the ones asked for
// now (RFC 9396 section 6).
func detailsOf(c client.Client, agreed []string, text string) ([]string, bool) {
	asked, ok := client.ReadDetails(text)
	granted, _ := client.ReadDetails(string(client.DetailsJSON(agreed)))
	granted = slices.DeleteFunc(granted, func(d client.Detail) bool { return !slices.Contains(c.DetailTypes, d.Type) })
	if len(asked) == 0 {
		return client.TextsOf(granted), ok
	}
	return client.TextsOf(asked), !slices.ContainsFunc(asked, func(d client.Detail) bool { return !slices.Contains(granted, d) })
}

// grant makes the tokens of a grant.
func (x *Exchanges) grant(p check.Passed, j *settle.Judgement, g agreed, out *Granted) (err error) {
	claims := token.Claims{Subject: x.subject(g.client, g.user), Audience: g.audience, Scope: token.JoinScope(g.scopes), Session: g.session.ID.String(),
		Grant: g.consent.ID.String(), ACR: g.terms.ACR, AMR: g.terms.AMR, AuthTime: g.terms.AuthTime, Confirm: g.confirm, Details: g.details}
	if g.client.Revocation == client.Strict {
		claims.Strict = g.pair.Seal(x.keys.Ring().State)
	}
	if session.Judge(g.session, g.user, j.Now) != session.Live {
		claims.Session = "" // it outlived its session (offline_access)
	}
	out.Scopes, out.Confirm, out.Details = g.scopes, g.confirm, g.details
	if out.Access, out.ExpiresAt, err = x.issue(p, j, g.client, claims); err != nil {
		return err
	}
	if slices.Contains(g.scopes, "openid") {
		by, err := x.signer(g.client.IDTokens().Alg)
		if err != nil {
			return err
		}
		out.IDToken, err = token.IssueID(p, by, g.client, token.IDClaims{Issuer: x.policy.Issuer, Subject: claims.Subject, IssuedAt: j.Now,
			ExpiresAt: j.Now.Add(cmp.Or(x.policy.Token.For(g.client).ID, idTokenFor)), AuthTime: g.terms.AuthTime, ACR: g.terms.ACR, AMR: g.terms.AMR, Nonce: g.nonce, Session: claims.Session, Access: out.Access, Person: named(told(g.user, g.scopes), g.terms.Claims)})
		if err != nil {
			return err
		}
	}
	return nil
}

// idTokenFor is how long an ID token is good (security defaults 3.2).
const idTokenFor = 5 * time.Minute

// subject is the sub that a client's tokens carry of a person.
func (x *Exchanges) subject(c client.Client, u identity.User) string {
	if c.SubjectType != client.SubjectPairwise {
		return u.ID.String()
	}
	if key := x.keys.Ring().Pairwise; key != nil {
		return token.PairwiseSubject(key, c.Sector(), u.ID)
	}
	return "" // there is no key yet, and nothing is issued without a sub
}

// An opener is a refresh family to be, made once for an exchange.
type opener struct {
	id     token.FamilyID
	random [32]byte
	salt   [16]byte
}

func (x *Exchanges) newOpening() opener {
	return opener{token.NewFamilyID(x.pipe.Now(), secret.Random16()), secret.Random(), secret.Random16()}
}

// openFor opens the family of a grant. For an application that cannot prove
// which one it is, what its first access token is bound to stands for it (RFC
// 9449 section 5): no other key will be given the next.
func (x *Exchanges) openFor(o opener, g agreed, j *settle.Judgement, scopes []string) (token.Open, string) {
	refresh := x.keys.Ring().Refresh
	k := refresh[len(refresh)-1]
	wire, current := token.First(k, o.id, o.random)
	life := x.policy.Token.For(g.client)
	maxUntil := j.Now.Add(life.Max)
	if g.client.Auth == client.AuthNone {
		g.terms.Confirm = g.confirm
	}
	idleUntil := life.Until(j.Now, maxUntil)
	if g.client.FAPI() {
		idleUntil = maxUntil // nothing is written when it is used
	}
	return token.Open{ID: o.id, Client: g.client.ID, Session: g.session.ID, User: g.user.ID, KeyTag: k.Tag, Salt: o.salt, Current: current, Rev: j.Rev,
		Scopes: scopes, Created: j.Now, IdleUntil: idleUntil, MaxUntil: maxUntil, Consent: g.consent.ID, Terms: g.terms}, wire
}

var refreshGrant = check.Declare(306, "app.refresh",
	clientCalm, client.Authentic, client.Standing, clientPace, client.Granted, token.ProofDemanded, token.ProofUnspent,
	token.RefreshForm, token.RefreshAuthentic, token.GrantSender, token.RefreshPresent, token.RefreshAlive, token.RefreshInTime, token.RefreshUnspent, token.RefreshTimely,
	client.ScopeWithin, client.ResourceWithin, client.RequestDetails).Often()

// RefreshGrant trades an application's refresh token for its successor and new
// tokens. What it asks for narrows these tokens, never the family.
func (x *Exchanges) RefreshGrant(ctx context.Context, by settle.Caller, proof ClientProof, text string, in Asked) (Granted, error) {
	var out Granted
	var g agreed
	p := x.proving(ctx, by, proof, true)
	wire, wellFormed := token.ParseRefresh(text)
	err := x.pipe.Run(ctx, refreshGrant, by, func(j *settle.Judgement) core.Unit {
		out = Granted{}
		c, ok := p.hold(j, "token", tokenPace)
		if !ok || !j.Hold(client.Granted, c.MayGrant(client.GrantRefresh)) {
			return nil
		}
		to, ok := p.bind(j, c)
		if !ok || !j.Hold(token.RefreshForm, wellFormed) {
			return nil
		}
		l := j.Lineage(wire.Family)
		f := l.Family
		w := token.Weigh(wire, f, x.keys.Ring().Refresh)
		standing := session.Judge(l.Session, l.User, j.Now)
		alive := l.Alive(standing) && (standing == session.Live || f.Terms.Offline)
		v := token.Judge(w, f, alive, j.Now, x.policy.Token.Grace)
		if f.Consent.IsZero() || f.Client != c.ID {
			v = token.Foreign // the session API's, or another application's (attack OAU-08)
		}
		if v != token.Foreign {
			j.User, j.Session = f.User, f.Session
		}
		j.Hold(token.RefreshAuthentic, v != token.Foreign)
		// Who has the token without its key has nothing: not even the power to end
		// the family by showing it too often.
		if bound := f.Terms.Confirm; v != token.Foreign && !j.Hold(token.GrantSender, (bound.JKT == "" || bound.JKT == to.JKT) && bound.Beside(token.CertificateHash(p.proof.Certificates))) {
			return nil
		}
		j.Hold(token.RefreshPresent, v != token.Future)
		j.Hold(token.RefreshAlive, v != token.Dead)
		j.Hold(token.RefreshInTime, v != token.Expired)
		j.Hold(token.RefreshUnspent, v != token.Reused, check.Count(int(f.Generation)-int(w.Generation)))
		j.Hold(token.RefreshTimely, v != token.Late)
		if v == token.Reused || v == token.Late {
			return x.disown(j, v, l)
		}
		if j.Failed() {
			return nil
		}
		g = agreed{client: c, consent: client.Consent{ID: f.Consent}, session: l.Session, user: l.User, terms: f.Terms, confirm: to}
		consent := j.Granted(f.Consent)
		// Only what person and registration still allow.
		holds := slices.DeleteFunc(slices.Clone(f.Scopes), func(s string) bool { return !c.May(s) || !slices.Contains(consent.Scopes, s) })
		if g.scopes, ok = within(strings.Fields(in.Scope), holds); !j.Hold(client.ScopeWithin, ok && len(g.scopes) > 0) {
			return nil
		}
		if g.audience, ok = x.audienceOf(c, f.Terms.Resources, in.Resources, g.scopes); !j.Hold(client.ResourceWithin, ok) {
			return nil
		}
		if g.details, ok = detailsOf(c, f.Terms.Details, in.Details); !j.Hold(client.RequestDetails, ok) {
			return nil
		}
		var next [32]byte
		out.Refresh, next = w.Successor()
		g.pair = token.Pair{Family: f.ID, Generation: w.Generation + 1}
		if c.FAPI() && v == token.Rotate {
			// It is bound to its sender, and does not rotate (FAPI 2.0 section 5.3.2.1).
			out.Refresh, g.pair.Generation = text, w.Generation
			return nil
		}
		var unit core.Unit
		if c.Auth == client.AuthNone && f.Terms.Confirm == (token.Confirm{}) && to != (token.Confirm{}) {
			// From now on (RFC 9449 section 5).
			terms := f.Terms
			terms.Confirm = to
			unit = append(unit, token.Tie{ID: f.ID, From: f.Generation, Terms: terms})
		}
		if v == token.Replay {
			return unit
		}
		unit = append(unit, token.Advance{ID: f.ID, From: f.Generation, Next: next, At: j.Now, IdleUntil: x.policy.Token.For(c).Until(j.Now, f.MaxUntil)})
		if standing == session.Live {
			unit = append(unit, x.used(l.Session, j.Now)...)
		}
		return unit
	}, func(p check.Passed, j *settle.Judgement) error { return x.grant(p, j, g, &out) })
	if err != nil {
		return Granted{}, err
	}
	return out, nil
}

// disown ends the family of a refresh token that two hold, or that came too
// late, with its access tokens. The session of a first-party application ends
// with it; another application's failure is no proof against the session
// itself.
func (x *Exchanges) disown(j *settle.Judgement, v token.Verdict, l token.Lineage) core.Unit {
	unit := core.Unit{revocation.Next{}, token.Burn{ID: l.Family.ID, At: j.Now}, x.event(revocation.Name{Unit: revocation.Grant, ID: l.Family.Consent.String()}, j.Now)}
	if l.Client.FirstParty && v == token.Reused && l.Session.Ended.IsZero() {
		finish, event := x.ends(l.Session.ID, j.Now, session.TokenReuse)
		unit = append(unit, finish, event)
	}
	return unit
}
