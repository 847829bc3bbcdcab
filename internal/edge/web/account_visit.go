package web

import (
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

const sessionsAt = "/account/sessions"

func (v *visit) showHome() error {
	q, err := door.Params(v.r, "kept")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(home, err)
	}
	page, err := v.homePage(who)
	if err != nil {
		return err
	}
	if q.Get("kept") != "" && page.Leaving.IsZero() {
		page.Status = ui.Say("delete.kept")
	}
	return v.show(page)
}

func (v *visit) homePage(who exchange.Who) (HomePage, error) {
	facts, err := v.exchange.Facts(v.ctx(), who)
	if err != nil {
		return HomePage{}, err
	}
	leaving, err := v.exchange.Leaving(v.ctx(), who)
	return HomePage{Shell: v.shell(), Form: v.blank(""), Person: personOf(who), Facts: facts, Leaving: leaving}, err
}

func (v *visit) showSessions() error {
	q, err := door.Params(v.r, "ended")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(sessionsAt, err)
	}
	all, err := v.exchange.Sessions(v.ctx(), who)
	if err != nil {
		return err
	}
	page := SessionsPage{Shell: v.shell(), Form: v.blank(""), Now: v.now()}
	for _, s := range all {
		page.Sessions = append(page.Sessions, v.row(who, s))
	}
	if n := others(who, all); n > 0 {
		effect := v.effect(EndsSessions(n))
		all := v.effect(EndsBrowser(v.door.Issuer.Host), EndsSessions(n))
		page.EndOthers, page.EndAll = &effect, &all
	}
	switch q.Get("ended") {
	case endedOne:
		page.Ended = v.ended(EndedOne())
	case endedUnknown:
		page.Ended, page.Unknown = v.ended(EndedOne()), true
	case endedOthers:
		page.Ended = v.ended(EndedOthers())
	}
	return v.show(page)
}

// row is a session as its person knows it.
func (v *visit) row(who exchange.Who, s session.Session) Session {
	host := v.door.Issuer.Host
	out := Session{ID: s.ID.String(), Device: session.Named(s.UserAgent), Created: s.Created, LastSeen: s.LastSeen, IP: s.IP, Place: v.exchange.Policy().Place(s.IP).String(),
		Current: s.ID == who.Session.ID}
	out.Effect = v.effect(EndsSession(out.Device, host))
	if s.Method == "password" {
		out.Method = ByPassword()
	}
	if out.Current {
		// Uses are written in batches; this one is happening.
		out.LastSeen, out.Effect = v.now(), v.effect(EndsBrowser(host))
	}
	return out
}

// others counts the sessions that are not this browser's.
func others(who exchange.Who, all []session.Session) (n int) {
	for _, s := range all {
		if s.ID != who.Session.ID {
			n++
		}
	}
	return n
}

// effect is what ending sessions takes away, and what may outlast it: an API that checks tokens by itself takes an
// access token until it expires.
func (v *visit) effect(ends ...ui.Message) Effect {
	until := v.now().Add(v.exchange.Policy().Token.Access)
	return Effect{Ends: append(ends, EndsTokens()), Lasts: []ui.Message{LastsAlone(until)}}
}

// ended is effect, afterwards. The page may be read again later, so it names a duration and no instant.
func (v *visit) ended(ends ...ui.Message) *Effect {
	minutes := int((v.exchange.Policy().Token.Access + time.Minute - 1) / time.Minute)
	return &Effect{Ends: append(ends, EndsTokens()), Lasts: []ui.Message{LastedAlone(minutes)}}
}
