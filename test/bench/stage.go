package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// coldStarts is how many starts a median is taken of.
const coldStarts = 5

// deploy prepares a server with a database of its own. durable is how far a
// refresh may stay behind the bare token, for the disk's sake.
func deploy(s settings, c cores, dir, store string, out *report) (srv *server, durable float64, end func() error, err error) {
	program := []string{s.binary}
	if s.profile != "" {
		self, err := os.Executable()
		if err != nil {
			return nil, 0, nil, err
		}
		program = []string{self, profiledMode, filepath.Join(s.profile, store+".pprof")}
	}
	database, pid, durable, stop := "", 0, 0.4, func() error { return nil }
	if store == "postgres" {
		p, err := startCluster(c, s.build)
		if err != nil {
			return nil, 0, nil, err
		}
		database, pid, durable, stop = p.url, p.pid, 0.2, p.stop
		if pid == 0 {
			out.note("PostgreSQL is not of this run: its CPU time is not counted, and it is not moved to the server's core")
		}
	}
	srv, err = newServer(program, c, dir, database)
	if err != nil {
		return nil, 0, nil, errors.Join(err, stop())
	}
	srv.postgres = pid
	return srv, durable, func() error { return errors.Join(srv.stop(), stop()) }, nil
}

// stage measures one store.
func stage(s settings, c cores, top *ceiling, dir, store string, out *report) (err error) {
	ctx := context.Background()
	srv, durable, end, err := deploy(s, c, dir, store, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	out.progress("%s: people and sessions", store)
	all, a, seeds, err := settle(ctx, s, srv, store, out)
	if err != nil {
		return err
	}
	in, err := srv.signInAll(all, concurrency[len(concurrency)-1])
	if err != nil {
		return err
	}
	apps, err := register(srv)
	if err != nil {
		return err
	}
	run := ceilings(top)
	for _, w := range append(workloads(srv, in, seeds, durable), oauthWorkloads(srv, apps, in, durable)...) {
		if s.wants(w.id) {
			run = append(run, w)
		}
	}
	if len(run) > len(ceilings(top)) {
		out.progress("%s: %d workloads, %v clients", store, len(run), concurrency)
		rows(s, store, run, out)
	}
	if s.wants("W7") {
		out.progress("%s: password sign-in", store)
		if err := signIns(s, srv, top, store, all, in[0], out); err != nil {
			return err
		}
	}
	if s.wants("W10") {
		out.progress("%s: verification", store)
		if err := verifications(ctx, s, srv, store, a, in[1:], out); err != nil {
			return err
		}
	}
	if s.wants("W11") {
		out.progress("%s: revocation", store)
		if err := delays(ctx, s, srv, store, a, all, out); err != nil {
			return err
		}
	}
	return nil
}

// delays measures revocation on one node and, where nodes can share a
// database, from one to another.
func delays(ctx context.Context, s settings, srv *server, store string, a api, all []person, out *report) (err error) {
	if err := revocations(ctx, s, srv, srv, store, a, all, out); err != nil || store != "postgres" {
		return err
	}
	other, err := srv.beside(srv.dir + "-other")
	if err != nil {
		return err
	}
	if _, err := other.start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, other.stop()) }()
	return revocations(ctx, s, srv, other, store, a, all, out)
}

// settle gives an empty deployment its people and sessions, and leaves its
// server running after some cold starts.
func settle(ctx context.Context, s settings, srv *server, store string, out *report) (all []person, a api, seeds []seed, err error) {
	first, err := srv.start()
	if err != nil {
		return nil, a, nil, err
	}
	if all, a, err = populate(srv); err != nil {
		return nil, a, nil, err
	}
	if err := srv.stop(); err != nil {
		return nil, a, nil, err
	}
	seeds, each, err := sow(ctx, srv, firstReads(s))
	if err != nil {
		return nil, a, nil, err
	}
	var starts []time.Duration
	for range coldStarts {
		if err := srv.stop(); err != nil {
			return nil, a, nil, err
		}
		d, err := srv.start()
		if err != nil {
			return nil, a, nil, err
		}
		starts = append(starts, d)
	}
	time.Sleep(2 * time.Second) // idle, jobs included
	out.figure(store, "first start, empty database", milliseconds(first), "ms", "")
	out.figure(store, "cold start to ready", milliseconds(median(starts)), "ms", "at most 100")
	out.figure(store, "idle memory", float64(srv.cost().memory)/(1<<20), "MiB", "at most 30")
	out.figure(store, "a session on disk", each, "B", "at most 600")
	return all, a, seeds, nil
}

// firstReads is how many sessions there must be so that none is read twice,
// at fifteen thousand a second.
func firstReads(s settings) int {
	if !s.wants("W4m") {
		return 1000
	}
	return int(s.round.Seconds()*15_000) * s.rounds * len(concurrency)
}
