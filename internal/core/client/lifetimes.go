package client

import (
	"time"

	"github.com/doorward/doorward/internal/core/check"
)

// Lifetimes are those of an application's tokens in whole seconds, where they
// are other than the deployment's: 0 is the deployment's.
type Lifetimes struct {
	AccessLife  int64 `json:"doorward_access_token_lifetime,omitzero" says:"Seconds that an access token is good for, 60 to 3600; token.access when left out."`
	IDLife      int64 `json:"doorward_id_token_lifetime,omitzero" says:"Seconds that an ID token is good for, 60 to 3600; 300 when left out."`
	RefreshIdle int64 `json:"doorward_refresh_token_idle,omitzero" says:"Seconds after which an unused refresh token ends, at least 300; token.refresh_idle when left out."`
	RefreshMax  int64 `json:"doorward_refresh_token_max,omitzero" says:"Seconds after which it ends however much it was used, at least 300, at most token.refresh_max, which it is when left out."`
}

// Bounds of lifetimes (security defaults 3.2).
const (
	AccessLeast  = time.Minute
	AccessMost   = time.Hour
	RefreshLeast = 5 * time.Minute
	refreshMost  = 365 * 24 * time.Hour
)

// AccessMicros is the lifetime of access tokens as it is kept.
func (l Lifetimes) AccessMicros() int64 { return l.AccessLife * int64(time.Second/time.Microsecond) }

func (l Lifetimes) valid() (check.Word, bool) {
	within := func(n int64, least, most time.Duration) bool {
		return n == 0 || n >= int64(least/time.Second) && n <= int64(most/time.Second)
	}
	switch {
	case !within(l.AccessLife, AccessLeast, AccessMost):
		return WordAccessLife, false
	case !within(l.IDLife, AccessLeast, AccessMost):
		return WordIDLife, false
	case !within(l.RefreshMax, RefreshLeast, refreshMost):
		return WordMax, false
	case !within(l.RefreshIdle, RefreshLeast, refreshMost), l.RefreshMax > 0 && l.RefreshIdle > l.RefreshMax:
		return WordIdle, false
	}
	return 0, true
}
