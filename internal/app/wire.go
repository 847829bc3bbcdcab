package app

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"runtime"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/deployment"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/api"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/oauth"
	"github.com/doorward/doorward/internal/edge/web"
	"github.com/doorward/doorward/internal/remote/fetch"
	"github.com/doorward/doorward/internal/remote/geo"
	"github.com/doorward/doorward/internal/remote/mail"
	sqlstore "github.com/doorward/doorward/internal/store/sql"
	sdkjs "github.com/doorward/doorward/sdk-js"
)

// Now is the program's clock, for commands that measure.
func Now() time.Time { return now() }

// A server is every part, put together.
type server struct {
	config   Config
	now      func() time.Time
	log      *slog.Logger
	store    *sqlstore.Store
	pipe     *settle.Pipeline
	keys     *settle.KeyFollower
	tallies  *settle.Tallies
	meters   *risk.Meters
	exchange *exchange.Exchanges
	manage   *manage.Manage
	door     *door.Door
	drills   *api.Drills
	shows    func() *tls.Certificate // what this server proves itself by, where TLS ends here
	machines *url.URL                // where applications show certificates; nil where they cannot
	fetch    *fetch.Fetcher          // what asks at addresses that others named
	mail     mail.Transport          // nil when this server sends none
	inbox    *mail.Inbox             // in development without a mail server
	posted   chan struct{}
	closing  chan struct{}
	measures *measures
	// forwarders are neighbours that send forwarded addresses unasked.
	forwarders forwarders
}

// build opens the database and makes every part with the piece it needs. now is
// the one clock of all of them.
func build(ctx context.Context, c Config, now func() time.Time, log *slog.Logger) (*server, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return nil, err
	}
	var places *geo.File
	if c.GeoFile != "" {
		if places, err = geo.Open(c.GeoFile); err != nil {
			return nil, err
		}
	}
	store, err := sqlstore.Open(ctx, c.Database, func(err error) {
		log.Error("the disk failed under a commit: what is on it is not known", "cause", err)
		os.Exit(1)
	})
	if err != nil {
		return nil, err
	}
	s := &server{config: c, now: now, log: log, store: store, tallies: settle.NewTallies(), posted: make(chan struct{}, 1), closing: make(chan struct{}), measures: newMeasures()}
	k, err := found(ctx, store, c, now())
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	switch {
	case c.Mail != "":
		if s.mail, err = mail.Open(c.Mail, c.MailPassword, issuer.Hostname()); err != nil {
			return nil, errors.Join(err, store.Close())
		}
	case c.Development:
		s.inbox = &mail.Inbox{}
		s.mail = s.inbox
	}
	s.fetch = fetch.New(fetch.Options{Allow: c.Outbound, Now: now, Failed: func(host string, err error) {
		log.Warn("an address that an application named was not read", "host", host, "cause", err)
	}})
	feed := revocation.NewLog()
	s.keys = &settle.KeyFollower{Store: store, Feed: feed, Now: now, Keys: key.NewKeyring(nil), Open: k.opener(c.keyPolicy())}
	if err := s.keys.Read(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	s.pipe = &settle.Pipeline{Store: measured{store, s.measures}, Feed: feed, Now: now, Follow: settle.NewFollower(store, feed, now), Tally: s.tallies.Add, Closing: s.closing,
		Posted: s.kickMail, Settled: s.settled, Alarm: func(err error) { s.measures.alarms.Add(); log.Error("alarm", "cause", err) }}
	life := token.Lifetimes{Access: c.Token.Access, Idle: c.Token.RefreshIdle, Max: c.Token.RefreshMax, Grace: c.Token.RefreshGrace, Leeway: c.Token.Leeway, Code: c.Token.Code}
	authorities, err := s.clientAuthorities()
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	gate := factor.NewGate(cores(), time.After)
	s.meters = risk.NewMeters(c.Limits.Scale)
	var documents interface {
		Document(context.Context, string) ([]byte, string, error)
	}
	if c.Documents {
		documents = s.fetch
	}
	s.exchange = exchange.New(s.pipe, s.keys.Keys, exchange.Policy{Issuer: c.Issuer, Session: session.Lifetimes(c.Session), Admin: exchange.AdminLifetimes(c.Admin), Token: life, DPoPNonce: c.Token.DPoPNonce == nonceRequired, Scale: c.Limits.Scale, Mail: s.mail != nil,
		SignUp: identity.Admission{Open: c.SignUp.Open == "open", Domains: c.SignUp.Domains}, PasswordMin: c.SignIn.PasswordMin, Where: where(places), Authorities: authorities, Keys: s.fetch, Post: s.fetch, Documents: documents},
		gate, s.meters)
	s.manage = manage.New(s.pipe, gate, manage.Keys{Follow: s.keys, KEK: k, Policy: c.keyPolicy()}, manage.Policy{Issuer: c.Issuer, PasswordMin: c.SignIn.PasswordMin, Token: life, Development: c.Development, Registration: c.Registration, Scale: c.Limits.Scale, Documents: s.fetch})
	s.door = &door.Door{Issuer: issuer, Dev: c.Development, Trusted: c.TrustedProxies, Certificate: c.MTLS.Header, Now: now, Log: log, Tally: s.tallies.Add,
		Nonce: s.exchange.Nonce, NonceDue: c.Token.DPoPNonce == nonceRequired,
		Forwarded: s.forwarders.note, Served: s.measures.served, Refused: func(c *check.Check) { s.measures.refusals.Add(c.ID) }}
	s.drills = &api.Drills{Door: s.door}
	s.watchAll(gate.Load)
	return s, s.pipe.Follow.Read(ctx)
}

// where finds places in a file, when there is one. The file stays open as long
// as the process: places are read from its pages.
func where(f *geo.File) func(netip.Addr) risk.Place {
	if f == nil {
		return nil
	}
	return f.Place
}

// settled counts an exchange, and logs what an operator changed: one line
// each, of ids and names of ours.
func (s *server) settled(j *settle.Judgement, by settle.Caller, refused *check.Refusal) {
	s.measures.settled(j.Of(), refused)
	level := slog.LevelDebug
	if by.Actor != "" && refused == nil {
		level = slog.LevelInfo
	}
	if !s.log.Enabled(context.Background(), level) {
		return
	}
	attrs := []slog.Attr{slog.String("exchange", j.Of().Name)}
	for _, a := range []slog.Attr{slog.String("actor", by.Actor), slog.String("user", j.User.String()), slog.String("session", j.Session.String()), slog.String("client", j.Client)} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if refused != nil {
		attrs = append(attrs, slog.String("check", refused.Check().ID), slog.String("ref", refused.Ref))
	}
	s.log.LogAttrs(context.Background(), level, "settled", attrs...)
}

// clean lets through only paths in their one spelling. The mux would answer
// others itself, with a redirect that carries a posted password along and
// passes by the door (RFC 9700 section 4.12).
func (s *server) clean(next http.Handler) http.Handler {
	refuse := s.door.On(door.Problem, func(http.ResponseWriter, *http.Request) error { return check.Refuse(door.Path) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := r.URL.Path
		if clean := path.Clean(p); p != clean && p != clean+"/" || r.Method == http.MethodConnect {
			refuse.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// routes is the whole outside of the server.
func (s *server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	(&api.Manage{Door: s.door, Manage: s.manage, Exchange: s.exchange, Drills: s.drills, Accounts: s.exchange, Diagnose: s.diagnose}).PublicRoutes(mux)
	(&api.Register{Door: s.door, Manage: s.manage}).Routes(mux)
	(&api.Sessions{Door: s.door, Exchange: s.exchange}).Routes(mux)
	s.drills.Routes(mux)
	(&api.Feed{Door: s.door, Exchange: s.exchange}).Routes(mux)
	(&oauth.OAuth{Door: s.door, Exchange: s.exchange, Keys: s.keys.Keys, Machines: s.machines, Registers: s.config.Registration != client.RegisterOff, Documents: s.config.Documents}).Routes(mux)
	mux.Handle("/sdk/doorward.js", s.door.On(door.Problem, door.Address{Methods: map[string]door.Handler{"GET": serveSDK}}.Serve))
	pages := web.Config{Door: s.door, Exchange: s.exchange, Keys: s.keys.Keys}
	if s.inbox != nil {
		pages.Mailbox = s.mailbox
	}
	web.New(pages).Routes(mux)
	return mux
}

// machineRoutes is what there is where applications show certificates: what
// machines ask, and nothing of the pages. Browsers have no business there.
func (s *server) machineRoutes() http.Handler {
	mux := http.NewServeMux()
	d := *s.door
	d.Issuer = s.machines
	(&oauth.OAuth{Door: &d, Exchange: s.exchange, Keys: s.keys.Keys, Machines: s.machines, Registers: s.config.Registration != client.RegisterOff, Documents: s.config.Documents}).Routes(mux)
	(&api.Feed{Door: &d, Exchange: s.exchange}).Routes(mux)
	(&api.Manage{Door: &d, Manage: s.manage, Exchange: s.exchange, Drills: s.drills, Accounts: s.exchange, Diagnose: s.diagnose}).PublicRoutes(mux)
	return mux
}

// byName leads requests for the name that applications show certificates at to
// what is there, where a proxy asks for them in front of both names.
func (s *server) byName(main http.Handler) http.Handler {
	if s.machines == nil || s.config.MTLS.Header == "" {
		return main
	}
	machines := s.machineRoutes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == s.machines.Host {
			machines.ServeHTTP(w, r)
			return
		}
		main.ServeHTTP(w, r)
	})
}

// serveSDK gives pages of any origin the browser SDK.
func serveSDK(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=300, stale-while-revalidate=86400")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Repr-Digest", sdkjs.Digest())
	_, err := w.Write(sdkjs.Source)
	return err
}

// local is what the socket serves to whoever has the host.
func (s *server) local() http.Handler {
	mux := http.NewServeMux()
	d := *s.door
	d.Issuer = &url.URL{Scheme: "http", Host: "doorward"}
	(&api.Manage{Door: &d, Manage: s.manage, Exchange: s.exchange, Drills: s.drills, Accounts: s.exchange, Diagnose: s.diagnose}).Routes(mux)
	return mux
}

// cores is how many hashes may run at once: one a core. The scheduler gets one
// processor more than that, so that while every core hashes a request still
// finds one, and a blocked fsync never holds the only one.
func cores() int {
	n := min(runtime.GOMAXPROCS(0), runtime.NumCPU())
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), n+1))
	return n
}

// found gives an empty database its issuer, keys and built-in client, and an
// older one the keys of later purposes. It writes nothing when anything does
// not fit.
func found(ctx context.Context, store core.Store, c Config, now time.Time) (*kek, error) {
	mode := "production"
	if c.Development {
		mode = "development"
	}
	v := store.View(ctx)
	d, keys := v.Deployment(), v.Keys()
	if err := v.Err(); err != nil {
		return nil, err
	}
	if err := d.Fits(c.Issuer, mode); err != nil {
		return nil, err
	}
	k, err := openKEK(c.Keys, len(keys) == 0)
	if err != nil {
		return nil, err
	}
	// Only a key that opens what is there may add to it.
	if err := key.Fits(ctx, keys, k); err != nil {
		return nil, err
	}
	made, err := key.Make(ctx, keys, k, c.Keys.Alg, now)
	if err != nil {
		return nil, err
	}
	var unit core.Unit
	if !d.Exists() {
		unit = append(unit, deployment.Found{Issuer: c.Issuer, Mode: mode, Created: now})
		unit = append(unit, manage.BuiltIn(now)...)
	} else if len(made) > 0 {
		unit = append(unit, key.BesideOne(c.keyPolicy().Stand(keys, now)))
	}
	for _, a := range made {
		unit = append(unit, a)
	}
	if len(unit) > 0 {
		var lost *core.Lost
		if _, err := store.Commit(ctx, unit); err != nil && !errors.As(err, &lost) {
			return nil, err
		}
		// Lost means that another start won: its keys are read from here on.
		v = store.View(ctx)
		if err := errors.Join(v.Deployment().Fits(c.Issuer, mode), v.Err()); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// keyPolicy is the configuration's part in the life of keys.
func (c Config) keyPolicy() key.Policy {
	return key.Policy{Alg: c.Keys.Alg, Every: c.Keys.RotateEvery, Access: client.AccessMost, Refresh: c.Token.RefreshMax}
}
