package exchange

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// Checks of an authorization request that a page of ours can still make hold.
var (
	requestUnanswered = check.New(check.Check{Number: 918, ID: "request.unanswered", Fault: fault.Conflict, Shown: "request.unanswered",
		Says: "The request was not answered before.", Source: "RFC 9126 section 7.3; RFC 9700 section 4.7",
		Title: "This sign-in already finished."})
	signedIn = check.New(check.Check{Number: 919, ID: "authorize.signed_in", Fault: fault.Unauthenticated, Shown: "authorize.signed_in", Code: "login_required",
		Says: "Somebody is signed in here.", Source: "OpenID Connect Core section 3.1.2.6",
		Title: "Nobody is signed in here."})
	chosen = check.New(check.Check{Number: 920, ID: "authorize.chosen", Fault: fault.Unauthenticated, Shown: "authorize.chosen", Code: "account_selection_required",
		Says: "The person said which account they mean, when the application wants to know.", Source: "OpenID Connect Core section 3.1.2.1",
		Title: "An account must be chosen first."})
	recent = check.New(check.Check{Number: 921, ID: "authorize.recent", Fault: fault.Stale, Shown: "authorize.recent", Code: "login_required",
		Says: "The person's last proof is as fresh as the application wants it, and nothing has put it in doubt.", Source: "OpenID Connect Core section 3.1.2.1; RFC 9470",
		Title: "One more check is needed: prove that it is still you."})
	hinted = check.New(check.Check{Number: 1046, ID: "authorize.person", Fault: fault.Unauthenticated, Shown: "authorize.person", Code: "login_required",
		Says: "Whoever is signed in is the person whom the application means, if it said.", Source: "OpenID Connect Core section 3.1.2.1",
		Title: "Somebody else is signed in here."})
	strong = check.New(check.Check{Number: 1045, ID: "authorize.level", Fault: fault.Denied, Shown: "authorize.level", Code: "unmet_authentication_requirements",
		Says: "The person proved themselves as strongly as is essential to the application.", Source: "OpenID Connect Core section 5.5.1.1; OpenID Connect Core Error Code unmet_authentication_requirements",
		Title: "The application needs a stronger proof than this account can give.", Stops: []string{"MFA-10"}})
	notRefused = check.New(check.Check{Number: 923, ID: "authorize.allowed", Fault: fault.Denied, Shown: "authorize.allowed",
		Says: "The person did not press Cancel.", Source: "RFC 6749 section 4.1.2.1",
		Title: "The person does not want to allow this."})
	consented = check.New(check.Check{Number: 922, ID: "authorize.consented", Fault: fault.Denied, Shown: "authorize.consented", Code: "consent_required",
		Says: "The person, or policy for a first-party application, allowed what the application asks for.", Source: "OpenID Connect Core section 3.1.2.4; ASVS 10.7.1",
		Title: "The person did not allow this yet.", Stops: []string{"OAU-12"}})
)

var authorize = check.Declare(302, "app.authorize",
	slices.Concat([]*check.Check{risk.NetworkCalm, client.RequestClient}, askable,
		[]*check.Check{requestUnanswered, signedIn, hinted, notRefused, chosen, recent, strong, consented})...)

// askable are the checks of what an application may ask, whoever the person is.
var askable = []*check.Check{client.RequestURI, client.RequestPushed, client.RequestObject, client.RequestRedirect, client.RequestForm, client.RequestWay, client.RequestType,
	client.RequestMode, client.Granted, client.ChallengeSent, token.ProofThumbprint, client.ScopeWithin, client.ResourceWithin, client.RequestDetails, client.RequestHint}

// asks holds the checks of what an application may ask, and says where the
// answer would go, were it a refusal too.
func (x *Exchanges) asks(j *settle.Judgement, c client.Client, r client.Request) (back string, ok bool) {
	if back = c.Back(r); !c.Redirects(back) {
		back = ""
	}
	_, within := x.audience(c, r.Resources)
	return back, j.Hold(client.RequestURI, r.Trouble != client.RequestURI) &&
		j.Hold(client.RequestPushed, r.Trouble != client.RequestPushed) &&
		j.Hold(client.RequestObject, r.Trouble != client.RequestObject) &&
		j.Hold(client.RequestRedirect, back != "") &&
		j.Hold(client.RequestForm, r.Trouble != client.RequestForm && r.Amiss() == 0, check.As(r.Amiss())) &&
		j.Hold(client.RequestWay, c.Comes(r)) &&
		j.Hold(client.RequestType, r.Type == "code") &&
		j.Hold(client.RequestMode, c.Travels(r)) &&
		j.Hold(client.Granted, c.MayGrant(client.GrantCode)) &&
		j.Hold(client.ChallengeSent, c.Challenged(r)) &&
		j.Hold(token.ProofThumbprint, r.Key == "" || token.ValidThumbprint(r.Key)) &&
		j.Hold(client.ScopeWithin, len(c.Asks(r)) > 0) &&
		j.Hold(client.ResourceWithin, within) &&
		j.Hold(client.RequestDetails, x.details(j, c, r.Details)) &&
		j.Hold(client.RequestHint, r.Trouble != client.RequestHint)
}

// details says whether an application may ask for these authorization details.
func (x *Exchanges) details(j *settle.Judgement, c client.Client, text string) bool {
	details, ok := client.ReadDetails(text)
	return ok && (len(details) == 0 || c.MayDetail(details, j.DetailTypes()))
}

// asking are the checks that a page of ours can make hold.
var asking = []*check.Check{signedIn, chosen, recent, consented, hinted}

// authorizePace is what one network may ask of the authorization endpoint
// (security defaults 3.4).
var authorizePace = []risk.Budget{{Count: 100, Per: 10 * time.Second}}

// An Authorization is how an authorization request stands.
type Authorization struct {
	Client  client.Client
	Back    string // the registered address that the answer goes to; empty when no address may be trusted
	Code    string // the answer, when every check held
	Missing Missing
	User    identity.User
	Session session.Session
	Consent client.Consent  // what the person allowed before
	Scopes  []string        // that are asked for
	Details []client.Detail // so, too (RFC 9396)
}

// Missing is what a page must ask before the request can be answered. The zero
// value is nothing.
type Missing uint8

// Finished says whether an error means that a request was answered before.
func Finished(err error) bool {
	var refusal *check.Refusal
	return errors.As(err, &refusal) && refusal.Check() == requestUnanswered
}

// What can be missing, in the order in which it is asked for.
const (
	Nothing Missing = iota
	ASignIn
	AChoice // of an account
	AProof  // a fresh one, of the same person
	AConsent
	Another // person's sign-in
)

// Authorize answers an authorization request with a code, or says what is
// missing, or refuses it. What a page can still ask for is no refusal, unless
// the application wants no page; then, and in every other case, the error is
// a *check.Refusal, and Back says whether the application may hear of it.
func (x *Exchanges) Authorize(ctx context.Context, by settle.Caller, cookie string, r client.Request) (Authorization, error) {
	return x.authorizes(ctx, by, cookie, r, false)
}

// Look says how a request stands, and answers nothing: whatever page shows it,
// one alone uses it up.
func (x *Exchanges) Look(ctx context.Context, by settle.Caller, cookie string, r client.Request) (Authorization, error) {
	return x.authorizes(ctx, by, cookie, r, true)
}

func (x *Exchanges) authorizes(ctx context.Context, by settle.Caller, cookie string, r client.Request, look bool) (Authorization, error) {
	wait := x.meters.Take("authorize", risk.Network(by.Addr).String(), x.pipe.Now(), authorizePace)
	if wait == 0 {
		if err := x.adopt(ctx, by, r.Client); err != nil {
			return Authorization{}, err
		}
	}
	text, wellFormed := token.ParseSession(cookie)
	consentID, codeID := secret.Random16(), secret.Random()
	var out Authorization
	var consent client.GrantID
	var given []string
	judge := func(j *settle.Judgement) core.Unit {
		out = Authorization{}
		if !j.Hold(risk.NetworkCalm, wait == 0, check.Wait(wait)) {
			return nil
		}
		c := client.Client{}
		if client.ValidID(r.Client) {
			c = j.View.Client(r.Client)
		}
		if !j.Hold(client.RequestClient, c.Exists() && !c.Paused) {
			return nil
		}
		out.Client = c
		out.Scopes = c.Asks(r)
		out.Details, _ = client.ReadDetails(r.Details)
		var ok bool
		if out.Back, ok = x.asks(j, c, r); !ok || !j.Hold(requestUnanswered, len(r.ID) == 0 || !j.Spent(token.AsAnswered, token.SpentHash(token.AsAnswered, c.ID, r.ID)).Exists()) {
			return nil
		}
		if wellFormed {
			out.Session = j.SessionByHash(session.HashOf(text))
			out.User = j.View.User(out.Session.User)
		}
		if !j.Hold(signedIn, session.Judge(out.Session, out.User, j.Now) == session.Live) {
			return nil
		}
		j.User, j.Session, j.Client = out.User.ID, out.Session.ID, c.ID
		if means, _ := r.Means(); !j.Hold(hinted, means == "" || means == x.subject(c, out.User)) {
			return nil
		}
		if !j.Hold(notRefused, !r.Refused) {
			return x.answered(c, r, j.Now)
		}
		if !j.Hold(chosen, !r.Prompts("select_account") || !r.Chosen.IsZero() || out.Session.Created.After(r.Asked)) ||
			!j.Hold(recent, freshFor(c, r, out.Session, j.Now)) {
			return nil
		}
		if must := r.MustReach(); !j.Hold(strong, len(must) == 0 || out.Session.Reaches(must)) {
			return x.answered(c, r, j.Now)
		}
		out.Consent = j.Consent(out.User.ID, c.ID)
		allowed := out.Consent.Settles(out.Scopes) && out.Consent.Agrees(out.Details) && (!r.Prompts("consent") || !out.Consent.Changed.Before(r.Asked))
		if !j.Hold(consented, allowed || c.FirstParty) {
			return nil
		}
		var unit core.Unit
		consent, given = out.Consent.ID, out.Scopes
		switch {
		case allowed:
			given = out.Consent.Within(out.Scopes)
		case out.Consent.Exists():
			unit = append(unit, client.Widen{ID: consent, From: out.Consent.Changed, Scopes: union(out.Consent.Scopes, out.Scopes), Terms: client.Terms{Policy: true}.With(out.Consent.Terms.Details, out.Details), Changed: j.Now})
		default:
			consent = client.NewGrantID(j.Now, consentID)
			unit = append(unit, client.Allow{ID: consent, User: out.User.ID, Client: c.ID, Scopes: out.Scopes, Terms: client.Terms{Policy: true}.With(nil, out.Details), Rev: j.Rev, Created: j.Now})
		}
		unit = append(unit, x.answered(c, r, j.Now)...)
		return append(unit, x.used(out.Session, j.Now)...)
	}
	j := &settle.Judgement{View: x.pipe.Store.View(ctx), Trail: authorize.Begin(), Now: x.pipe.Now().Truncate(time.Microsecond), Rev: x.pipe.Feed.Position()}
	judge(j)
	if err := j.Err(); err != nil {
		return Authorization{}, err
	}
	_, err := j.Close()
	if err != nil && !r.Silent() {
		var refusal *check.Refusal
		// Who signed in for this request, and is not the one who was meant, is not
		// asked again.
		again := errors.As(err, &refusal) && refusal.Check() == hinted && out.Session.Created.After(r.Asked)
		if refusal != nil && slices.Contains(asking, refusal.Check()) && !again {
			out.Missing = Missing(slices.Index(asking, refusal.Check()) + 1)
			return out, nil
		}
	}
	if look {
		return out, err
	}
	err = x.pipe.Run(ctx, authorize, by, judge, func(p check.Passed, j *settle.Judgement) error {
		c, s := out.Client, out.Session
		code, fits := token.SealCode(x.keys.Ring().State, token.Code{ID: codeID, Client: c.ID, Redirect: r.Redirect, Challenge: r.Challenge, Scopes: given,
			User: out.User.ID, Session: s.ID, Consent: consent, Nonce: r.Nonce, Key: r.Key, Rev: j.Rev, Expires: j.Now.Add(x.policy.Token.Code),
			Terms: token.Terms{Resources: union(nil, r.Resources), Offline: slices.Contains(given, "offline_access"), AuthTime: s.AuthTime, ACR: s.ACR(), AMR: s.AMR(), Claims: r.InIDToken(), Details: client.TextsOf(out.Details)}})
		switch {
		case !p.Proven():
			return token.ErrNotPassed
		case !fits:
			return check.Refuse(client.RequestCarried)
		}
		out.Code = code
		return nil
	})
	return out, err
}

// Asking is who asks, for pages that show it while a request waits.
func (x *Exchanges) Asking(ctx context.Context, r client.Request) (out Authorization, err error) {
	v := x.pipe.Store.View(ctx)
	if client.ValidID(r.Client) {
		out.Client = v.Client(r.Client)
	}
	if back := out.Client.Back(r); out.Client.Redirects(back) {
		out.Back = back
	}
	if err := v.Err(); err != nil {
		return Authorization{}, err
	}
	if out.Back == "" {
		return Authorization{}, check.Refuse(client.RequestRedirect)
	}
	return out, nil
}

// answered are the writes that let nobody answer a request again that waited
// for its person.
func (x *Exchanges) answered(c client.Client, r client.Request, now time.Time) core.Unit {
	if len(r.ID) == 0 {
		return nil
	}
	return core.Unit{token.SpendOnce{Use: token.AsAnswered, Hash: token.SpentHash(token.AsAnswered, c.ID, r.ID), Until: now.Add(answeredFor)}}
}

// answeredFor is longer than a request can wait, however often it is begun anew
// in another browser.
const answeredFor = 24 * time.Hour

// RequestFor is how long a request waits for its person.
const RequestFor = time.Hour

// freshFor says whether a session's last proof is fresh enough for a request.
// One made since the request came is, whatever is asked for.
func freshFor(c client.Client, r client.Request, s session.Session, now time.Time) bool {
	if s.AuthTime.IsZero() || r.Prompts("login") && !s.AuthTime.After(r.Asked) {
		return false
	}
	most, bounded := c.MaxAge(r)
	return !bounded || s.AuthTime.After(r.Asked) || now.Sub(s.AuthTime) <= most
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
