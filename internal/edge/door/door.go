// Package door is what every request passes on its way in: bounds, the one
// host, who asks from where, bodies read in one way only. What it refuses, it
// refuses by named checks like everybody else.
package door

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// A Door is what the surfaces share.
type Door struct {
	Issuer  *url.URL
	Dev     bool // http on a loopback name: cookies without the __Host- prefix
	Trusted []netip.Prefix
	// Certificate is the header in which trusted proxies pass on the
	// certificate of a client; empty: none do.
	Certificate string
	Now         func() time.Time
	Log         *slog.Logger
	Tally       func(ledger.Tally)
	// Nonce makes what DPoP proofs are to carry; with NonceDue each must, and
	// every answer to one has the next (RFC 9449 section 8.2).
	Nonce    func() string
	NonceDue bool
	// Served and Refused, when set, are told of each request how it ended, and
	// of each refusal that no exchange settled.
	Served  func(r *http.Request, err error, took time.Duration)
	Refused func(*check.Check)
	// Forwarded, when set, is told of peers that send forwarded addresses and
	// are not trusted.
	Forwarded func(peer netip.Addr)
}

// A Handler answers a request or says why not. The error is a *check.Refusal
// or something that tells the outside nothing.
type Handler func(w http.ResponseWriter, r *http.Request) error

// A Render writes an error to one surface: its one table of faults.
type Render func(w http.ResponseWriter, r *http.Request, e *check.Refusal, status int)

// Patience is how long any request may take to be answered: a database that
// says nothing at all must not hold whoever asks.
const Patience = 8 * time.Second

// On makes a handler of a surface.
func (d *Door) On(render Render, h Handler) http.Handler {
	held := d.Held(render, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), Patience)
		defer cancel()
		held.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Held is On for a handler that may hold its answer, and bounds itself.
func (d *Door) Held(render Render, h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.headers(w.Header())
		if d.NonceDue && len(r.Header["Dpop"]) > 0 {
			w.Header().Set("DPoP-Nonce", d.Nonce())
		}
		began := d.Now()
		err := d.bounds(r)
		if err == nil {
			err = h(w, r)
		}
		if d.Served != nil {
			d.Served(r, err, d.Now().Sub(began))
		}
		if err != nil {
			d.refuse(w, r, render, err)
		}
	})
}

// headers are what every answer carries; a document for other origins says so
// afterwards.
func (d *Door) headers(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if !d.Dev {
		// RFC 6797 section 6.1; ASVS 3.4.1.
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}

// Refusals of things that are no check of anybody's: they tell nothing.
var (
	broken = check.New(check.Check{Number: 198, ID: "server.works", Fault: fault.Internal, Shown: "server.works",
		Says: "The server did not fail.", Source: "RFC 9110 section 15.6.1", Title: "Something failed on our side. Nothing was changed."})
	unavailable = check.New(check.Check{Number: 199, ID: "server.available", Fault: fault.Busy, Shown: "server.available",
		Says: "The store answered in time.", Source: "RFC 9110 section 15.6.4",
		Title: "We cannot do that for a moment. Those signed in stay signed in.", Stops: []string{"OAU-15"}})
)

// retryAfter is when to ask again when nothing better is known.
const retryAfter = 2 * time.Second

func (d *Door) refuse(w http.ResponseWriter, r *http.Request, render Render, err error) {
	var e *check.Refusal
	level, cause := slog.LevelInfo, error(nil)
	switch {
	case errors.As(err, &e):
	case errors.Is(err, core.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		e, level, cause = check.Refuse(unavailable, check.Wait(retryAfter)), slog.LevelWarn, err
	default:
		e, level, cause = check.Refuse(broken), slog.LevelError, err
	}
	if e.Ref == "" {
		// What an exchange settled has its reference, and stands in the ledger
		// already. Everything else is counted here.
		e.Ref = secret.Ref()
		if d.Refused != nil {
			d.Refused(e.Check())
		}
		if cause == nil {
			d.Tally(tally(e, d.Caller(r), d.Now()))
		}
	}
	attrs := []slog.Attr{slog.String("check", e.Check().ID), slog.String("ref", e.Ref), slog.String("method", r.Method), slog.String("path", clean(r))}
	if cause != nil {
		attrs = append(attrs, slog.String("cause", cause.Error()))
	}
	d.Log.LogAttrs(r.Context(), level, "refused", attrs...)
	if e.RetryAfter > 0 {
		// Whole seconds, rounded up: an answer a moment early is a refusal again.
		w.Header().Set("Retry-After", strconv.Itoa(int((e.RetryAfter+time.Second-1)/time.Second)))
	}
	if e.Check().Fault == fault.Nonce {
		w.Header().Set("DPoP-Nonce", d.Nonce())
	}
	render(w, r, e, Status(e.Check().Fault))
}

func tally(e *check.Refusal, by settle.Caller, now time.Time) ledger.Tally {
	t := ledger.Tally{Minute: now.Truncate(time.Minute), Check: e.Check().Number, Network: risk.Network(by.Addr).String(), Count: 1}
	if e.Exchange != nil {
		t.Exchange = e.Exchange.Number
	}
	return t
}

// clean is the path of a request for the log. Where a path carries a secret,
// as links in mails do, its pattern says enough.
func clean(r *http.Request) string {
	path := r.URL.Path
	if _, pattern, _ := strings.Cut(r.Pattern, "/"); strings.Contains(r.Pattern, "{token}") {
		path = "/" + pattern
	}
	if len(path) > 200 {
		path = path[:200]
	}
	return strings.ToValidUTF8(path, "?")
}

// Status is the status of a fault on every surface that does not say otherwise.
func Status(k fault.Kind) int {
	switch k {
	case fault.Malformed:
		return http.StatusBadRequest
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Unsupported:
		return http.StatusUnsupportedMediaType
	case fault.Method:
		return http.StatusMethodNotAllowed
	case fault.Unacceptable:
		return http.StatusUnprocessableEntity
	case fault.Unauthenticated, fault.Stale, fault.Client, fault.Grant, fault.Proof, fault.Nonce:
		return http.StatusUnauthorized
	case fault.Scope, fault.Denied:
		return http.StatusForbidden
	case fault.Missing:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Misdirected:
		return http.StatusMisdirectedRequest
	case fault.Slow:
		return http.StatusTooManyRequests
	case fault.Busy:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

const (
	maxURL     = 8 << 10
	maxQuery   = 4 << 10
	maxCookies = 50
)

// bounds refuses what no surface wants.
func (d *Door) bounds(r *http.Request) error {
	if len(r.RequestURI) > maxURL || len(r.URL.RawQuery) > maxQuery {
		return check.Refuse(Size)
	}
	if r.Host != d.Issuer.Host {
		return check.Refuse(Host)
	}
	if !utf8.ValidString(r.URL.Path) || strings.ContainsRune(r.URL.Path, 0) {
		return check.Refuse(Path)
	}
	if n := strings.Count(strings.Join(r.Header["Cookie"], ";"), ";"); n >= maxCookies {
		return check.Refuse(Size)
	}
	return nil
}

// Caller is who asks, as far as the network shows. Forwarded addresses count
// only when they come from a trusted proxy, from the right (attack DOS-01).
func (d *Door) Caller(r *http.Request) settle.Caller {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	addr, _ := netip.ParseAddr(host)
	if d.Forwarded != nil && len(r.Header["X-Forwarded-For"]) > 0 && !d.trusts(addr) {
		d.Forwarded(addr.Unmap())
	}
	if d.trusts(addr) {
		hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
		for i := len(hops) - 1; i >= 0 && d.trusts(addr); i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			addr = hop
		}
	}
	device, _ := d.Cookie(r, DeviceCookie)
	return settle.Caller{Addr: addr.Unmap().WithZone(""), UserAgent: r.UserAgent(), Device: device}
}

func (d *Door) trusts(a netip.Addr) bool {
	for _, p := range d.Trusted {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// From judges which page an unsafe request comes from: the issuer's own
// origin, another origin to be judged by the exchange, or "" for a client
// that is no browser. Sec-Fetch-Site is asked first, since under
// "Referrer-Policy: no-referrer" our own forms are posted with "Origin: null".
func (d *Door) From(r *http.Request) (origin string, err error) {
	own := d.Issuer.Scheme + "://" + d.Issuer.Host
	origins := r.Header["Origin"]
	if len(origins) > 1 || len(r.Header["Sec-Fetch-Site"]) > 1 {
		return "", check.Refuse(Site)
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin":
		return own, nil
	case "", "none":
		if len(origins) == 0 {
			return "", nil
		}
	}
	if len(origins) == 0 || origins[0] == "null" || origins[0] == "" {
		return "", check.Refuse(Site)
	}
	return origins[0], nil
}

// FromOwn demands that an unsafe request comes from a page of ours.
func (d *Door) FromOwn(r *http.Request) error {
	origin, err := d.From(r)
	if err != nil {
		return err
	}
	if origin != "" && origin != d.Issuer.Scheme+"://"+d.Issuer.Host {
		return check.Refuse(Site)
	}
	return nil
}

// Bearer is the access token of a request, and whether it came with the scheme
// DPoP (RFC 9449 section 7.1); "" when none was sent. Tokens in the query or
// the body are never read (RFC 6750 section 5.3).
func Bearer(r *http.Request) (text string, dpop bool, err error) {
	h := r.Header["Authorization"]
	if len(h) == 0 {
		return "", false, nil
	}
	scheme, text, _ := strings.Cut(h[0], " ")
	dpop = strings.EqualFold(scheme, "DPoP")
	if len(h) > 1 || !dpop && !strings.EqualFold(scheme, "Bearer") || text == "" || strings.ContainsAny(text, " \t,") {
		return "", false, check.Refuse(Authorization)
	}
	return text, dpop, nil
}

// Shown is the access token of a request, with the DPoP proof and the
// certificate beside it.
func (d *Door) Shown(r *http.Request) (token.Shown, error) {
	text, dpop, err := Bearer(r)
	if err != nil {
		return token.Shown{}, err
	}
	s := d.Proof(r)
	s.Access, s.DPoP = text, dpop
	shown, err := d.Certificates(r)
	s.Certificate = token.CertificateHash(shown)
	return s, err
}

// Proof is the DPoP proof of a request. Two are none: neither is read.
func (d *Door) Proof(r *http.Request) token.Shown {
	s := token.Shown{Method: r.Method, Address: d.Issuer.Scheme + "://" + d.Issuer.Host + r.URL.EscapedPath()}
	if h := r.Header["Dpop"]; len(h) == 1 {
		s.Proof = h[0]
	}
	return s
}
