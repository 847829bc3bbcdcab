package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// Exchanges are the exchanges that the pages ask for.
type Exchanges interface {
	presenting
	parting
	signing
	proving
	ending
	disowning
	joining
	recovering
	securing
	moving
	departing
	connecting
	copying
	authorizing
	loggingOut
	consenting
	pairing
	// Policy is what the pages say of lifetimes.
	Policy() exchange.Policy
}

// Config is what the pages need.
type Config struct {
	Door     *door.Door
	Exchange Exchanges
	Keys     *key.Keyring // has the key of form tokens
	// Mailbox are the mails that would have been sent, the newest first; nil
	// when they are.
	Mailbox func() []DevMail
}

// Web serves the hosted pages.
type Web struct {
	door     *door.Door
	exchange Exchanges
	keys     *key.Keyring
	mailbox  func() []DevMail
}

// New makes the hosted pages.
func New(c Config) *Web {
	return &Web{door: c.Door, exchange: c.Exchange, keys: c.Keys, mailbox: c.Mailbox}
}

// own is the origin of our own pages.
func (s *Web) own() string { return s.door.Issuer.Scheme + "://" + s.door.Issuer.Host }

// home is where people go who did not say where.
const home = "/account"

// Routes mounts the pages. Every other path of the mux is answered with the page that says so.
func (s *Web) Routes(mux *http.ServeMux) {
	for path, methods := range map[string]pages{
		"/{$}":                           {"GET": func(v *visit) error { return v.seeOther(home) }},
		"/s/":                            {"GET": (*visit).showAsset},
		"/sign-in":                       {"GET": (*visit).showSignIn, "POST": (*visit).signIn},
		"/sign-in/continue":              {"POST": (*visit).goOn},
		"/step-up":                       {"GET": (*visit).showStepUp, "POST": (*visit).stepUp},
		"/sign-out":                      {"GET": (*visit).showSignOut, "POST": (*visit).signOut},
		"/signed-out":                    {"GET": (*visit).showSignedOut},
		"/return":                        {"GET": (*visit).showReturn},
		"/error":                         {"GET": (*visit).showError},
		"/account":                       {"GET": (*visit).showHome},
		"/account/sessions":              {"GET": (*visit).showSessions},
		"/account/sessions/{id}":         {"GET": (*visit).showStory},
		"/account/sessions/{id}/unknown": {"GET": (*visit).askUnknown, "POST": (*visit).endUnknown},
		"/account/activity":              {"GET": (*visit).showActivity},
		"/account/sessions/{id}/end":     {"GET": (*visit).askEndOne, "POST": (*visit).endOne},
		"/account/sessions/end-others":   {"GET": (*visit).askEndOthers, "POST": (*visit).endOthers},
		"/account/sessions/end-all":      {"GET": (*visit).askEndAll, "POST": (*visit).endAll},
		"/not-me/{token}":                {"GET": (*visit).showNotMe, "POST": (*visit).notMe},
		"/dev/mail":                      {"GET": (*visit).showDevMail},
		"/":                              nil,
	} {
		mux.Handle(path, s.on(methods))
	}
	for _, more := range []map[string]pages{joiningPages, recoveryPages, profilePages, exportPages, deletionPages, securityPages, appsPages, authorizePages, logoutPages, consentPages, devicePages} {
		for path, methods := range more {
			mux.Handle(path, s.on(methods))
		}
	}
}

// pages are the methods of one address.
type pages map[string]func(*visit) error

// on makes the handler of one address.
func (s *Web) on(methods pages) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{Web: s, w: w, r: r}
		if s.door.Dev && reads(r.Method) && r.Host != s.door.Issuer.Host && isAddress(r.Host) {
			to := *s.door.Issuer
			to.Path, to.RawPath, to.RawQuery = r.URL.Path, r.URL.RawPath, r.URL.RawQuery
			_ = v.location(to.String())
			return
		}
		s.door.On(v.refused, func(http.ResponseWriter, *http.Request) error { return v.serve(methods) }).ServeHTTP(w, r)
	})
}

func (v *visit) serve(methods pages) error {
	if methods == nil {
		return check.Refuse(door.Path)
	}
	method := v.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if h := methods[method]; h != nil {
		return h(v)
	}
	var allow []string
	for m := range methods {
		if allow = append(allow, m); m == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	slices.Sort(allow)
	v.w.Header().Set("Allow", strings.Join(allow, ", "))
	return check.Refuse(door.Method)
}

func reads(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// isAddress says whether a host is written as an IP address. In development people type one; cookies are kept by
// name, so the pages live at the issuer's.
func isAddress(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

func (v *visit) showAsset() error {
	if !ui.IsAsset(v.r.URL.Path) {
		return check.Refuse(door.Path)
	}
	ui.Assets().ServeHTTP(v.w, v.r)
	return nil
}
