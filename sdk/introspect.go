package doorward

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/url"
	"sync"
	"time"
)

const (
	// answerKept is how long the server's word on a token stands.
	answerKept = 5 * time.Second
	// awayKept is how long a server that was not reached is not asked again.
	awayKept = time.Second
	// answersMost bounds how many answers are kept.
	answersMost = 8192
)

// An asker asks the server about tokens while the view is too old to judge by
// (RFC 7662). All who ask about one token share one answer.
type asker struct {
	server *server
	life   context.Context

	mu      sync.Mutex
	answers map[[sha256.Size]byte]*answer
	away    time.Time // when the server was last not reached
	reason  error
}

type answer struct {
	done   chan struct{}
	at     time.Time // when it was asked for
	active bool
	said   []byte // the whole answer
	err    error
}

// ask returns what the server says of the token, and as of when.
func (a *asker) ask(ctx context.Context, token string) (*answer, error) {
	ans, err := a.find(token)
	if err != nil {
		return nil, err
	}
	select {
	case <-ans.done:
		return ans, ans.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (a *asker) find(token string) (*answer, error) {
	now := a.server.now()
	id := sha256.Sum256([]byte(token))
	a.mu.Lock()
	defer a.mu.Unlock()
	if ans := a.answers[id]; ans != nil && now.Sub(ans.at) <= answerKept {
		return ans, nil
	}
	if !a.away.IsZero() && now.Sub(a.away) < awayKept {
		return nil, a.reason
	}
	ans := &answer{done: make(chan struct{}), at: now}
	a.sweep(now)
	a.answers[id] = ans
	go func() {
		ans.active, ans.said, ans.err = a.introspect(a.life, token)
		a.mu.Lock()
		if ans.err != nil {
			// An error is no answer: only the server being away is remembered.
			if a.answers[id] == ans {
				delete(a.answers, id)
			}
			if unreachable(ans.err) {
				a.away, a.reason = a.server.now(), ans.err
			}
		}
		a.mu.Unlock()
		close(ans.done)
	}()
	return ans, nil
}

// sweep makes room. Answers are dropped early rather than kept without bound.
func (a *asker) sweep(now time.Time) {
	if len(a.answers) < answersMost {
		return
	}
	for id, ans := range a.answers {
		if now.Sub(ans.at) > answerKept {
			delete(a.answers, id)
		}
	}
	if len(a.answers) >= answersMost {
		clear(a.answers)
	}
}

func (a *asker) introspect(ctx context.Context, token string) (active bool, said []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	m, err := a.server.discover(ctx)
	if err != nil {
		return false, nil, err
	}
	if m.Introspection == "" {
		return false, nil, &shapeError{"the server has no introspection_endpoint"}
	}
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	var answer json.RawMessage
	if err := a.server.post(ctx, m.Introspection, form, &answer); err != nil {
		return false, nil, err
	}
	var is struct {
		Active *bool `json:"active"`
	}
	if err := json.Unmarshal(answer, &is); err != nil || is.Active == nil {
		return false, nil, &shapeError{"introspection did not say active"}
	}
	return *is.Active, answer, nil
}
