package main

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// A workload is something that clients do over and over.
type workload struct {
	id, name string
	of       string // the ceiling it is compared with
	least    float64
	tail     time.Duration // that p99 of 16 clients should stay under
	addr     string
	client   func(i int) step
	cost     func() cost
}

// ceilings are what all others are compared with.
func ceilings(t *ceiling) []*workload {
	return []*workload{
		{id: "hello", name: "bare GET /hello", addr: t.addr, client: t.hello, cost: t.cost},
		{id: "token", name: "bare POST /token", addr: t.addr, client: t.token, cost: t.cost},
	}
}

// workloads are those that run at every concurrency. durable is how far a
// refresh may stay behind the bare token, for the disk's sake.
func workloads(s *server, in []signedIn, seeds []seed, durable float64) []*workload {
	return []*workload{
		{id: "W3", name: "refresh with rotation", of: "token", least: durable, tail: 15 * time.Millisecond, addr: s.listen, cost: s.cost, client: refreshes(s, in)},
		{id: "W4", name: "session by cookie, cached", of: "hello", least: 0.45, tail: 5 * time.Millisecond, addr: s.listen, cost: s.cost, client: known(s, in)},
		{id: "W4m", name: "session by cookie, first read", of: "hello", least: 0.15, tail: 5 * time.Millisecond, addr: s.listen, cost: s.cost, client: unknown(s, seeds)},
		{id: "W9", name: "metadata and JWKS in turn", of: "hello", least: 0.72, tail: 5 * time.Millisecond, addr: s.listen, cost: s.cost, client: documents(s)},
	}
}

func sessionRequest(s *server, cookie string) []byte {
	return request("GET", s.host(), "/session", "", "Cookie: doorward_session="+cookie)
}

// ask is a client that repeats one request for a session it knows.
func ask(s *server, b signedIn) step {
	get := sessionRequest(s, b.cookie)
	return func(c *conn) error {
		if err := c.do(get); err != nil {
			return err
		}
		return c.expect(200, b.session, b.person.Email)
	}
}

func known(s *server, in []signedIn) func(int) step {
	return func(i int) step { return ask(s, in[i%len(in)]) }
}

// unknown asks for each session once in the whole run, so that none has been
// read before.
func unknown(s *server, seeds []seed) func(int) step {
	var next atomic.Int64
	return func(int) step {
		return func(c *conn) error {
			i := int(next.Add(1)) - 1
			if i >= len(seeds) {
				return errDry
			}
			if err := c.do(sessionRequest(s, seeds[i].cookie())); err != nil {
				return err
			}
			return c.expect(200, `"session":{`, `"id":"ses_`, seeds[i].person.Email)
		}
	}
}

// refreshes lets each client spend its own refresh token, then the one it got.
func refreshes(s *server, in []signedIn) func(int) step {
	return func(i int) step {
		b := &in[i]
		return func(c *conn) error {
			old, access := b.refresh, b.access
			err := c.do(request("POST", s.host(), "/session/refresh", "", "Origin: "+s.issuer, "Cookie: doorward_refresh="+old))
			if err == nil {
				err = signedInAnswer(c, 200, b.person)
			}
			if err != nil {
				return err
			}
			b.refresh = c.cookie("doorward_refresh")
			_, rest, _ := bytes.Cut(c.body, []byte(`"access_token":"`))
			token, _, ended := bytes.Cut(rest, []byte(`"`))
			b.access = string(token)
			if !ended || b.refresh == old || b.access == access {
				return errors.New("a refresh gave the same token again")
			}
			return nil
		}
	}
}

// documents asks for the two that every verifier reads, in turn.
func documents(s *server) func(int) step {
	paths := []string{"/.well-known/openid-configuration", "/oauth/jwks"}
	parts := [][]string{{`"issuer":"` + s.issuer + `"`, `"jwks_uri":`}, {`"keys":[{`, `"kty":"EC"`}}
	return func(int) step {
		gets := [][]byte{request("GET", s.host(), paths[0], ""), request("GET", s.host(), paths[1], "")}
		turn := 0
		return func(c *conn) error {
			n := turn % 2
			turn++
			if err := c.do(gets[n]); err != nil {
				return err
			}
			return c.expect(200, parts[n]...)
		}
	}
}

// A round is one of a workload, with what it cost the server.
type round struct {
	sample
	cost
}

func (w *workload) round(clients int, d time.Duration) round {
	before := w.cost()
	r := round{crowd{addr: w.addr, size: clients, client: w.client}.run(d), w.cost()}
	r.server -= before.server
	r.database -= before.database
	return r
}

// rows measures workloads in turn, A B C A B C, so that what this machine does
// meanwhile meets all of them alike.
func rows(s settings, store string, all []*workload, out *report) {
	for _, n := range concurrency {
		got := map[*workload][]round{}
		for range s.rounds {
			for _, w := range all {
				got[w] = append(got[w], w.round(n, s.round))
			}
		}
		ceiling := map[string]float64{}
		for _, w := range all {
			r := summary(got[w])
			r.ID, r.Workload, r.Clients, r.Store = w.id, w.name, n, store
			if w.of == "" {
				ceiling[w.id], r.Store = r.Rate, "none"
			} else {
				r.compare(w, ceiling[w.of])
			}
			out.row(r, got[w])
		}
	}
}

// summary takes the medians of rounds.
func summary(rounds []round) row {
	var rates, server, database, busy []float64
	var p50, p99 []time.Duration
	var r row
	for _, s := range rounds {
		if len(s.latencies) == 0 {
			continue
		}
		rates, busy = append(rates, s.rate()), append(busy, s.busy)
		thousands := float64(len(s.latencies)) / 1000
		server, database = append(server, milliseconds(s.server)/thousands), append(database, milliseconds(s.database)/thousands)
		p50, p99 = append(p50, percentile(s.latencies, 50)), append(p99, percentile(s.latencies, 99))
		r.RSS = max(r.RSS, float64(s.memory)/(1<<20))
	}
	r.Rate, r.P50, r.P99 = median(rates), milliseconds(median(p50)), milliseconds(median(p99))
	r.CPU, r.CPUDatabase, r.Load = median(server), median(database), median(busy)
	return r
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

// compare sets a row against the ceiling of the same rounds.
func (r *row) compare(w *workload, ceiling float64) {
	r.Of, r.Least = w.of, w.least
	if ceiling > 0 {
		r.Ratio = r.Rate / ceiling
	}
	r.Target = fmt.Sprintf("%.2f x %s", w.least, w.of)
	if r.Clients == 16 && w.tail > 0 {
		r.Target += fmt.Sprintf(", p99 %s", w.tail)
	}
	if r.Clients > 1 {
		r.Met = new(r.Ratio >= w.least && (r.Clients != 16 || r.P99 <= milliseconds(w.tail)))
	}
}
