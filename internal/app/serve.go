package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/doorward/doorward/internal/core/key"
)

// The bounds of a connection (security defaults 3.5).
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 15 * time.Second
	writeTimeout   = 30 * time.Second
	idleTimeout    = time.Minute
	maxHeaderBytes = 16 << 10
	maxStreams     = 100
	stopWithin     = 15 * time.Second
)

// Serve runs the server until ctx ends: then it stops accepting, finishes
// what was begun, flushes, and returns nil.
func Serve(ctx context.Context, c Config) error {
	return run(ctx, c, slog.New(c.Log.handler(os.Stderr)), nil)
}

// handler writes the log in the form that was asked for.
func (l Log) handler(w io.Writer) slog.Handler {
	var level slog.Level
	// The configuration has been checked; an unknown word would be info.
	_ = level.UnmarshalText([]byte(l.Level))
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}

// ready is told the server once it listens, before it serves; the demo adds
// its own to the routes then.
type ready func(ctx context.Context, s *server, mux *http.ServeMux, listening net.Listener) (serving func(), err error)

func run(ctx context.Context, c Config, log *slog.Logger, with ready) error {
	s, err := build(ctx, c, now, log)
	if err != nil {
		return err
	}
	defer s.store.Close()
	main, err := s.openMain()
	if err != nil {
		return err
	}
	defer main.Close()
	local, err := openSocket(c.Data)
	if err != nil {
		return err
	}
	defer local.Close()
	ops, err := s.openOps()
	if err != nil {
		return err
	}
	machines, address, err := s.openMTLS()
	if err != nil {
		return err
	}
	s.machines = address
	mux := s.routes()
	serving := func() {}
	if with != nil {
		if serving, err = with(ctx, s, mux, main); err != nil {
			return err
		}
	}
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	finish := s.jobs(working)
	public, socket := s.httpServer(s.clean(s.health(s.byName(mux)))), s.socketServer()
	failed := make(chan error, 4)
	serve := []*http.Server{public, socket}
	if machines != nil {
		defer machines.Close()
		shown := s.httpServer(s.clean(s.health(s.machineRoutes())))
		serve = append(serve, shown)
		go func() { failed <- shown.Serve(machines) }()
		log.Info("certificates of applications", "mtls_listen", machines.Addr().String(), "mtls_url", address.String())
	}
	if ops != nil {
		defer ops.Close()
		look := s.opsServer(ops.Addr())
		defer look.Close()
		go func() { failed <- look.Serve(ops) }()
		log.Info("metrics", "ops_listen", ops.Addr().String())
	}
	go func() { failed <- public.Serve(main) }()
	go func() { failed <- socket.Serve(local) }()
	s.tellSetup(ctx, os.Stderr)
	log.Info("serving", "issuer", c.Issuer, "listen", main.Addr().String(), "database", s.store.Engine())
	serving()
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	close(s.closing)
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	err = closed(err)
	for _, one := range serve {
		err = errors.Join(err, one.Shutdown(within))
	}
	stop()
	finish()
	log.Info("stopped")
	return err
}

func closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *server) httpServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams}, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
}

// health answers probes before anything else is asked of them: they come by
// address, not by name.
func (s *server) health(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	probe := func(path string, h http.HandlerFunc) {
		mux.Handle("GET "+path, h)
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "this address only tells", http.StatusMethodNotAllowed)
		})
	}
	probe("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	probe("/readyz", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-s.closing:
			http.Error(w, "stopping", http.StatusServiceUnavailable)
			return
		default:
		}
		if err := s.pipe.Follow.Fresh(r.Context()); err != nil {
			s.log.Warn("not ready", "cause", err)
			w.Header().Set("Retry-After", "1")
			http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
			return
		}
		if err := s.keys.Err(); errors.Is(err, key.ErrWrongKEK) {
			s.log.Error("not ready", "cause", err, "do", "give this node the key-encryption key that the others have; until then it goes on with the keys it opened before")
			w.Header().Set("Retry-After", "5")
			http.Error(w, "this node does not have the key-encryption key", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("/", next)
	return mux
}
