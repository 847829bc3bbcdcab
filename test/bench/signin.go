package main

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Visitors are watched while others sign in: eight, a hundred requests a second
// between them, so that one who waits does not hold up the next.
const (
	visitors = 8
	askEvery = visitors * 10 * time.Millisecond
)

// signIns measures password sign-in against the bare hash rate, and what a
// visitor with a session notices of it: on an idle server, beside sixteen who
// sign in, and under a flood.
func signIns(s settings, srv *server, top *ceiling, store string, all []person, visitor signedIn, out *report) error {
	var hashes []float64
	var rounds []round
	var idle, beside, flooded []time.Duration
	w := &workload{id: "W7", name: "password sign-in", of: "argon2id", least: 0.95, addr: srv.listen, cost: srv.cost, client: signingIn(srv, all)}
	for range s.rounds {
		rate, err := top.hashes(s.round)
		if err != nil {
			return err
		}
		hashes = append(hashes, rate)
		out.watched(&idle, srv, visitor, func() { time.Sleep(s.round) })
		out.watched(&beside, srv, visitor, func() { rounds = append(rounds, w.round(16, s.round)) })
		out.watched(&flooded, srv, visitor, func() {
			f := crowd{addr: srv.listen, size: 500, cold: true, client: flooding(srv)}.run(s.round)
			out.wrong(f.wrong, f.why)
		})
	}
	r := summary(rounds)
	r.ID, r.Workload, r.Clients, r.Store = w.id, w.name, 16, store
	r.compare(w, median(hashes))
	r.Target = "0.95 x argon2id"
	r.Met = new(r.Ratio >= w.least)
	out.row(r, rounds)
	out.figure(store, "W7 bare argon2id", median(hashes), "/s", "")
	for _, f := range []struct {
		name, target string
		of           []time.Duration
	}{
		{"W7 session check meanwhile: idle, p99", "", idle},
		{"W7 session check meanwhile: 16 sign in, p99", "at most 10", beside},
		{"W7 session check meanwhile: 500 try to, p99", fmt.Sprintf("at most %.2f (3 x idle)", 3*milliseconds(percentile(idle, 99))), flooded},
	} {
		out.figure(store, f.name, milliseconds(percentile(f.of, 99)), "ms", f.target)
	}
	return nil
}

// watched lets visitors ask at a steady pace while something goes on, and adds
// how long each answer took.
func (out *report) watched(to *[]time.Duration, srv *server, visitor signedIn, during func()) {
	stop := make(chan struct{})
	var got [visitors][]time.Duration
	var errs [visitors]error
	var wg sync.WaitGroup
	for i := range visitors {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * askEvery / visitors)
			got[i], errs[i] = watch(srv.listen, ask(srv, visitor), askEvery, stop)
		})
	}
	during()
	close(stop)
	wg.Wait()
	for i := range visitors {
		if errs[i] != nil {
			out.wrong(1, errs[i])
		}
		*to = append(*to, got[i]...)
	}
	slices.Sort(*to)
}

// signingIn signs one person in again and again, in a new browser each time.
func signingIn(srv *server, all []person) func(int) step {
	return func(i int) step {
		p := all[i%len(all)]
		post := srv.signInRequest(p)
		return func(c *conn) error {
			if err := c.do(post); err != nil {
				return err
			}
			return signedInAnswer(c, 201, p)
		}
	}
}

// flooding is one of very many who try addresses at once, each their own. The
// server has room for some of them to wait; who is told to come later comes
// after half a second.
func flooding(srv *server) func(int) step {
	return func(i int) step {
		post := srv.signInRequest(person{Email: fmt.Sprintf("nobody%03d@example.com", i)})
		return func(c *conn) error {
			if err := c.do(post); err != nil {
				return err
			}
			if c.status == 429 || c.status == 503 {
				time.Sleep(500 * time.Millisecond)
				return nil
			}
			return c.expect(401, `"check":"signin.failed"`)
		}
	}
}
