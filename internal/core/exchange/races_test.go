package exchange_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
)

// A race is one exchange that gives trust against one that takes it away. In
// every other round both are held at their commit until both have judged, so
// that neither has seen what the other does; in the rest they only start
// together.
type race struct {
	r       *rig
	nodes   [2]*node
	ticks   atomic.Int64
	rounds  int
	overlap int // rounds in which the two commits overlapped
}

func (r *rig) race(t *testing.T, with ...option) *race {
	one, two := r.nodes(with...)
	one.warm(t)
	two.warm(t)
	return &race{r: r, nodes: [2]*node{one, two}}
}

// run runs one round of the two, each at its own node.
func (x *race) run(held bool, acts [2]func(n *node)) {
	x.rounds++
	var began, ended [2]atomic.Int64
	var here, done [2]chan struct{}
	for i := range acts {
		here[i], done[i] = make(chan struct{}), make(chan struct{})
	}
	for i, n := range x.nodes {
		var arrive sync.Once
		n.spy.on(func(core.Unit) error {
			began[i].CompareAndSwap(0, x.ticks.Add(1))
			arrive.Do(func() { close(here[i]) })
			if held {
				select {
				case <-here[1-i]:
				case <-done[1-i]:
				}
			}
			return nil
		}, func(core.Unit) error {
			ended[i].Store(x.ticks.Add(1))
			return nil
		})
	}
	together(2, func(i int) {
		defer close(done[i])
		acts[i](x.nodes[i])
	})
	for _, n := range x.nodes {
		n.spy.on(nil, nil)
		n.spy.take()
	}
	if began[0].Load() < ended[1].Load() && began[1].Load() < ended[0].Load() {
		x.overlap++
	}
}

// told says how many rounds were races, and fails when too few were.
func (x *race) told(t *testing.T) {
	t.Helper()
	t.Logf("the commits overlapped in %d of %d rounds", x.overlap, x.rounds)
	if x.overlap < x.rounds/3 {
		t.Errorf("only %d rounds were races", x.overlap)
	}
}

// gone holds that nothing a person had works at either node, now and when
// they are let in again.
func (x *race) gone(t *testing.T, p person, out exchange.Tokens) {
	t.Helper()
	for _, n := range x.nodes {
		n.catchUp(t)
	}
	check := func() {
		t.Helper()
		v := x.r.store.View(t.Context())
		u := v.User(p.id)
		for _, s := range v.Sessions(session.Query{User: p.id, Limit: 10}) {
			if session.Judge(s, u, x.r.clock.now()) == session.Live {
				t.Errorf("session %v lives", s.ID)
			}
		}
		for _, n := range x.nodes {
			if out.Cookie != "" {
				n.cookieRefused(t, out.Cookie, "session.alive")
			}
			if out.Access != "" {
				n.accessRefused(t, out.Access, "token.alive")
			}
		}
		if out.Refresh != "" {
			x.nodes[0].refreshRefused(t, out.Refresh, "refresh.alive")
		}
	}
	check()
	u := read(t, x.r.store, func(v core.View) identity.User { return v.User(p.id) })
	if u.State == identity.Paused {
		if _, err := x.r.store.Commit(t.Context(), core.Unit{identity.Restore{ID: p.id, Guard: u.Guard}}); err != nil {
			t.Fatal(err)
		}
		check()
	}
}

func (n *node) pausing(t *testing.T, p person) {
	if err := n.manage.PauseUser(t.Context(), settle.Caller{Actor: "host:0"}, p.id); err != nil {
		t.Errorf("pause: %v", err)
	}
}

func TestSignInAgainstPause(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		x := r.race(t)
		seen := map[string]int{}
		for round := range signInRounds {
			p := r.person()
			var out exchange.Tokens
			var err error
			x.run(round%2 == 0, [2]func(*node){
				func(n *node) {
					out, err = n.Password(t.Context(), elsewhere(round), exchange.PasswordInput{Email: p.email, Password: password})
				},
				func(n *node) { n.pausing(t, p) },
			})
			if seen[named(err)]++; err != nil {
				refused(t, err, "user.active")
			}
			x.gone(t, p, out)
		}
		t.Logf("sign-ins: %v", seen)
		x.told(t)
	})
}

func TestSignInAgainstEndOthers(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		x := r.race(t)
		lived := 0
		for round := range signInRounds {
			p := r.person()
			seat := r.seat(p)
			var out exchange.Tokens
			x.run(round%2 == 0, [2]func(*node){
				func(n *node) {
					var err error
					if out, err = n.Password(t.Context(), elsewhere(round), exchange.PasswordInput{Email: p.email, Password: password}); err != nil {
						t.Errorf("sign-in: %v", err)
					}
				},
				func(n *node) {
					if _, err := n.EndOthers(t.Context(), home, exchange.Credential{Cookie: seat.Cookie}, true); err != nil {
						t.Errorf("end others: %v", err)
					}
				},
			})
			for _, n := range x.nodes {
				n.catchUp(t)
			}
			x.nodes[0].cookieRefused(t, seat.Cookie, "session.alive")
			_, err := x.nodes[1].Cookie(t.Context(), out.Cookie)
			if err == nil {
				// It was judged after the others were ended, or judged again: then all of it lives.
				lived++
				for _, n := range x.nodes {
					n.live(t, out.Cookie)
					n.inspected(t, out.Access)
					out.Refresh = n.refresh(t, out.Refresh).Refresh
				}
				continue
			}
			x.gone(t, p, out)
			x.gone(t, p, exchange.Tokens{Cookie: seat.Cookie, Refresh: seat.Refresh})
		}
		t.Logf("%d sign-ins came after", lived)
		x.told(t)
	})
}

// refreshing is a refresh that may lose against the end of its session.
func (n *node) refreshing(t *testing.T, text string, into *exchange.Tokens) {
	out, err := n.Refresh(t.Context(), home, exchange.RefreshInput{Token: text})
	if got := named(err); got != "passed" && got != "refresh.alive" {
		t.Errorf("refresh: %s", got)
	}
	*into = out
}

func TestRefreshAgainstSignOut(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		x := r.race(t)
		p := r.person()
		for round := range raceRounds {
			seat := r.seat(p)
			var out exchange.Tokens
			x.run(round%2 == 0, [2]func(*node){
				func(n *node) { n.refreshing(t, seat.Refresh, &out) },
				func(n *node) {
					if _, err := n.SignOut(t.Context(), home, exchange.Credential{Cookie: seat.Cookie}); err != nil {
						t.Errorf("sign-out: %v", err)
					}
				},
			})
			out.Cookie = seat.Cookie
			if x.gone(t, p, out); out.Refresh != "" {
				x.nodes[1].refreshRefused(t, seat.Refresh, "refresh.alive")
			}
			r.clock.add(1e9)
		}
		x.told(t)
	})
}

// Attack OAU-12.
func TestRefreshAgainstPause(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		x := r.race(t)
		for round := range raceRounds {
			p := r.person()
			seat := r.seat(p)
			var out exchange.Tokens
			x.run(round%2 == 0, [2]func(*node){
				func(n *node) { n.refreshing(t, seat.Refresh, &out) },
				func(n *node) { n.pausing(t, p) },
			})
			out.Cookie = seat.Cookie
			if x.gone(t, p, out); out.Refresh != "" {
				x.nodes[1].refreshRefused(t, seat.Refresh, "refresh.alive")
			}
			r.clock.add(1e9)
		}
		x.told(t)
	})
}
