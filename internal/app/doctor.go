package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/edge/api"
)

// How far a clock may be off, and how little room may be left.
const (
	clockOff    = 2 * time.Second
	roomLow     = 1 << 30 // bytes
	roomNone    = 100 << 20
	unsealedLot = 10_000
	keyLate     = 7 * 24 * time.Hour // beyond keys.rotate_every
	askWithin   = 5 * time.Second
)

// forwarders remembers who sends forwarded addresses without being trusted:
// only neighbours, since strangers can send what they like.
type forwarders struct {
	mu   sync.Mutex
	last netip.Addr
}

func (f *forwarders) note(peer netip.Addr) {
	if peer.IsPrivate() || peer.IsLoopback() {
		f.mu.Lock()
		f.last = peer
		f.mu.Unlock()
	}
}

func (f *forwarders) get() netip.Addr {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// diagnose looks at this server and what it stands on, a line each, as an
// operator would.
func (s *server) diagnose(ctx context.Context) []api.Finding {
	var out []api.Finding
	say := func(id, state, says, fix string) {
		out = append(out, api.Finding{ID: id, State: state, Says: says, Fix: fix})
	}
	good := func(id, says string) { say(id, "good", says, "") }

	if says, err := s.seesItself(ctx); err != nil {
		say("address", "broken", s.config.Issuer+" does not lead here: "+err.Error(), "Look at the name, the proxy and its certificate; issuer must be the address that people see.")
	} else {
		good("address", says)
	}
	if s.config.Development {
		say("cookies", "warning", "development mode: http on this machine, cookies without the __Host- prefix", "Nothing to do here; in production the issuer is https.")
	} else {
		good("cookies", "https: cookies are Secure and bound to this host")
	}
	if peer := s.forwarders.get(); peer.IsValid() {
		say("proxy", "broken", "X-Forwarded-For comes from "+peer.String()+", which is not in trusted_proxies: limits and the ledger see that address for everybody",
			fmt.Sprintf("trusted_proxies = [%q]", netip.PrefixFrom(peer, peer.BitLen())))
	} else {
		good("proxy", "no neighbour sends forwarded addresses unasked")
	}

	if s.shows != nil {
		out = append(out, certificateUntil(s.shows().Leaf.NotAfter, now()))
	}

	began := now()
	h, err := s.store.Health(ctx)
	took := now().Sub(began)
	switch {
	case err != nil:
		say("database", "broken", "the database does not answer", "Look at the server's log for the cause.")
	case !h.Durable:
		say("database", "broken", h.Engine+" "+h.Version+": "+h.Why+", so an acknowledged sign-out could be forgotten", "Turn it on in the database's configuration.")
	default:
		good("database", fmt.Sprintf("%s %s, commits are durable, answers in %s", h.Engine, h.Version, took.Round(100*time.Microsecond)))
	}
	if err == nil && h.Now.IsZero() {
		good("clock", "one clock: the database is a file of this machine")
	} else if err == nil {
		if off := h.Now.Sub(began); off.Abs() > clockOff+took {
			say("clock", "broken", fmt.Sprintf("this machine and the database's differ by %s", off.Round(time.Millisecond)), "Run a time service on both.")
		} else {
			good("clock", fmt.Sprintf("%s off the database's", off.Round(time.Millisecond).Abs()))
		}
	}

	switch {
	case s.config.Mail != "":
		good("mail", "a mail server is configured")
	case s.inbox != nil:
		say("mail", "warning", "mail stays in the browser, at /dev/mail", "Nothing to do here; in production set mail.")
	default:
		say("mail", "warning", "no mail is sent: nobody can recover or sign up by themselves", `mail = "smtp://user@mail.example.com:587?from=no-reply@example.com"`)
	}
	out = append(out, s.disk()...)
	out = append(out, s.kept(ctx)...)
	return append(out, api.Finding{ID: "version", State: "good", Says: "doorward " + builtAs()})
}

// renewWithin is how long before its end a certificate should have been renewed.
const renewWithin = 14 * day

// certificateUntil says whether this server's certificate is in its time.
func certificateUntil(end, now time.Time) api.Finding {
	f := api.Finding{ID: "certificate", State: "good", Says: "TLS ends here, by a certificate until " + end.UTC().Format(time.DateOnly)}
	switch left := end.Sub(now); {
	case left <= 0:
		f.State, f.Says, f.Fix = "broken", "the certificate is over since "+end.UTC().Format(time.DateOnly), "Renew it in the files of tls_cert and tls_key; it is read again by itself."
	case left < renewWithin:
		f.State, f.Fix = "warning", "Renew it in the files of tls_cert and tls_key; it is read again by itself."
	}
	return f
}

// seesItself asks for this server's metadata at the address that people see.
func (s *server) seesItself(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.config.Issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		return "", err
	}
	began := now()
	a, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		return "", err
	}
	defer a.Body.Close()
	text, err := io.ReadAll(io.LimitReader(a.Body, 64<<10))
	var said struct {
		Issuer string `json:"issuer"`
	}
	if err != nil || a.StatusCode != http.StatusOK || json.Unmarshal(text, &said) != nil || said.Issuer != s.config.Issuer {
		return "", fmt.Errorf("another server answers there, with %d", a.StatusCode)
	}
	return fmt.Sprintf("%s answers from here and sees itself, in %s", s.config.Issuer, now().Sub(began).Round(time.Millisecond)), nil
}

// disk looks at room, and at who lies beside whom.
func (s *server) disk() []api.Finding {
	var out []api.Finding
	var fs syscall.Statfs_t
	room := api.Finding{ID: "disk", State: "good"}
	if err := syscall.Statfs(s.config.Data, &fs); err != nil {
		room.State, room.Says = "broken", s.config.Data+" cannot be looked at"
	} else {
		left := uint64(fs.Bavail) * uint64(fs.Bsize)
		room.Says = fmt.Sprintf("%.1f GiB are left in %s", float64(left)/(1<<30), s.config.Data)
		switch {
		case left < roomNone:
			room.State, room.Fix = "broken", "Make room: without it nothing can be committed."
		case left < roomLow:
			room.State, room.Fix = "warning", "Make room before it runs out."
		}
	}
	out = append(out, room)
	file, sqlite := strings.CutPrefix(s.config.Database, "sqlite://")
	kek := api.Finding{ID: "kek", State: "good", Says: "the key-encryption key lies elsewhere than the database"}
	if sqlite && volume(s.config.Keys.KEKFile) == volume(filepath.Dir(file)) {
		kek.State, kek.Says = "warning", "the key-encryption key and the database share a volume: a copy of it holds both"
		kek.Fix = "keys.kek_file on another volume; leave it out of backups, and keep a copy elsewhere."
	}
	return append(out, kek)
}

// volume is the device that a file lies on; 0 when it is not there.
func volume(path string) uint64 {
	i, err := os.Stat(path)
	if err != nil {
		return 0
	}
	st, ok := i.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(st.Dev)
}

// kept looks at what the database holds.
func (s *server) kept(ctx context.Context) []api.Finding {
	v := s.store.View(ctx)
	keys, open, admins, clients := v.Keys(), v.Unsealed(), v.Administrators(), v.Clients()
	if v.Err() != nil {
		return nil // the database has its own line
	}
	var newest time.Time
	for _, k := range keys {
		if k.Purpose == key.Signing && k.Compromised.IsZero() && k.Created.After(newest) {
			newest = k.Created
		}
	}
	signing := api.Finding{ID: "keys", State: "good", Says: fmt.Sprintf("the newest signing key was made %s", newest.UTC().Format(time.DateOnly))}
	if now().Sub(newest) > s.config.Keys.RotateEvery+keyLate {
		signing.State, signing.Says = "warning", signing.Says+", longer ago than keys.rotate_every"
		signing.Fix = "doorward keys rotate signing"
	}
	sealed := api.Finding{ID: "ledger", State: "good", Says: fmt.Sprintf("%d entries wait to be sealed", open)}
	if open > unsealedLot {
		sealed.State, sealed.Fix = "broken", "The sealer does not come after: look at the server's log."
	}
	admin := api.Finding{ID: "administrators", State: "good", Says: fmt.Sprintf("%d", admins)}
	if admins == 0 {
		admin.State, admin.Says, admin.Fix = "warning", "nobody administers but the host", "doorward setup-link, or doorward users set-admin EMAIL"
	}
	return append([]api.Finding{signing, sealed, admin}, applications(clients, now())...)
}

// namedAtMost is how many applications are named of each kind of weakness.
const namedAtMost = 20

// applications names those that are registered more weakly than they could be,
// a line for each weakness of each.
func applications(all []client.Client, now time.Time) (out []api.Finding) {
	count := map[string]int{}
	for _, c := range all {
		for _, w := range c.Weaknesses(now) {
			if count[w.ID]++; count[w.ID] <= namedAtMost {
				out = append(out, api.Finding{ID: "client." + w.ID, State: "warning", Says: c.ID + " " + w.Says, Fix: "doorward " + fmt.Sprintf(w.Fix, c.ID)})
			}
		}
	}
	for id, n := range count {
		if n > namedAtMost {
			out = append(out, api.Finding{ID: "client." + id, State: "warning", Says: fmt.Sprintf("and %d more", n-namedAtMost), Fix: "doorward clients list --json"})
		}
	}
	if len(out) == 0 {
		out = append(out, api.Finding{ID: "clients", State: "good", Says: fmt.Sprintf("%d applications, none weaker than it could be", len(all))})
	}
	return out
}

// builtAs is the version that the program was built as.
func builtAs() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "unknown"
}
