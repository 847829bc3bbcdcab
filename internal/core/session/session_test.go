package session

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/identity"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func standing() (Session, identity.User) {
	u := identity.User{ID: identity.UserID{1}, State: identity.Active}
	return Session{ID: ID{2}, User: u.ID, Rev: 10, IdleUntil: now.Add(time.Hour), MaxUntil: now.Add(2 * time.Hour)}, u
}

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Session, *identity.User)
		want   Standing
	}{
		"live":                       {func(*Session, *identity.User) {}, Live},
		"no row":                     {func(s *Session, _ *identity.User) { *s = Session{} }, Unknown},
		"another's row":              {func(s *Session, u *identity.User) { u.ID[0]++ }, Unknown},
		"person is gone":             {func(s *Session, u *identity.User) { *u = identity.User{} }, Unknown},
		"ended":                      {func(s *Session, _ *identity.User) { s.Cut, s.Ended = 11, now }, Over},
		"person cut above":           {func(_ *Session, u *identity.User) { u.Cut = 11 }, Over},
		"person cut before it began": {func(_ *Session, u *identity.User) { u.Cut = 10 }, Live},
		"person paused":              {func(_ *Session, u *identity.User) { u.State = identity.Paused }, Over},
		"idle to the microsecond":    {func(s *Session, _ *identity.User) { s.IdleUntil = now }, Idle},
		"idle not yet":               {func(s *Session, _ *identity.User) { s.IdleUntil = now.Add(time.Microsecond) }, Live},
		"too old, used just now":     {func(s *Session, _ *identity.User) { s.MaxUntil = now }, Expired},
		"ended beats old":            {func(s *Session, _ *identity.User) { s.MaxUntil, s.Cut = now, 11 }, Over},
	} {
		s, u := standing()
		c.change(&s, &u)
		if got := Judge(s, u, now); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestIdleIsWrittenAtMostTenTimesALifetime(t *testing.T) {
	l := Lifetimes{Idle: 100 * time.Minute, Max: 1000 * time.Minute}
	s := Session{ID: ID{1}, Created: now, IdleUntil: now.Add(l.Idle), MaxUntil: now.Add(l.Max)}
	writes := 0
	for m := range 100 {
		at := now.Add(time.Duration(m) * time.Minute)
		if l.Due(s, at) {
			s.IdleUntil = l.Until(at, s.MaxUntil)
			writes++
		}
	}
	if writes == 0 || writes > 10 {
		t.Errorf("%d writes in one idle lifetime of steady use", writes)
	}
	if late := l.Until(now.Add(950*time.Minute), s.MaxUntil); !late.Equal(s.MaxUntil) {
		t.Errorf("idle end %v goes past the absolute end %v", late, s.MaxUntil)
	}
}
