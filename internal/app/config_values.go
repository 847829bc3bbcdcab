package app

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core/identity"
)

// A setting is one key: how its value is written, what it is when nobody says
// so, and how it is read. read keeps the value and says what is wrong with it,
// or nothing.
type setting struct {
	key      string
	kind     kind
	standard string
	secret   bool   // its value may hold a password
	only     Source // where alone it may come from; empty: from anywhere
	read     func(c *Config, value string) (says string)
}

// A kind is how a value is written in the file.
type kind uint8

const (
	text kind = iota
	number
	span
	list
)

func (k kind) takes() string {
	switch k {
	case number:
		return "takes a whole number without quotes"
	case span:
		return `takes a time such as "14d", "5m" or "10s"`
	case list:
		return `takes a list of texts: ["10.0.0.3/32"]`
	}
	return "takes a text in quotes"
}

func duration(key, standard string, least, most time.Duration, field func(*Config) *time.Duration) setting {
	return setting{key: key, kind: span, standard: standard, read: func(c *Config, s string) string {
		d, says := parseDuration(s)
		if says != "" {
			return says
		}
		*field(c) = d
		if d < least || d > most {
			return fmt.Sprintf("is %s: from %s to %s", s, formatDuration(least), formatDuration(most))
		}
		return ""
	}}
}

// choice is a setting with a few words to choose from; the first is the default.
func choice(key string, words []string, at func(*Config) *string) setting {
	return setting{key: key, kind: text, standard: words[0], read: func(c *Config, s string) string {
		*at(c) = s
		if !slices.Contains(words, s) {
			return fmt.Sprintf("is %q: %s is wanted", s, strings.Join(words, " or "))
		}
		return ""
	}}
}

func whole(key, standard string, least, most int, field func(*Config) *int) setting {
	return setting{key: key, kind: number, standard: standard, read: func(c *Config, s string) string {
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Sprintf("is %q: a whole number is wanted", s)
		}
		*field(c) = n
		if n < least || n > most {
			return fmt.Sprintf("is %d: from %d to %d", n, least, most)
		}
		return ""
	}}
}

var units = []struct {
	letter byte
	length time.Duration
}{{'d', day}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}

// parseDuration reads whole numbers with the units d, h, m and s, the longer
// unit first: 14d, 5m, 1h30m. A day is 24 hours.
func parseDuration(s string) (d time.Duration, says string) {
	const form = "a time is written like 14d, 8h, 5m or 10s"
	rest := s
	for _, u := range units {
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		if digits == "" || len(digits) == len(rest) || rest[len(digits)] != u.letter {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > (math.MaxInt64-int64(d))/int64(u.length) {
			return 0, fmt.Sprintf("is %q: too long", s)
		}
		d += time.Duration(n) * u.length
		rest = rest[len(digits)+1:]
	}
	switch {
	case s == "":
		return 0, "is empty: " + form
	case rest == "":
		return d, ""
	case strings.Trim(s, "0123456789") == "":
		return 0, fmt.Sprintf("is %q: needs a unit: %sm or %ss", s, s, s)
	}
	return 0, fmt.Sprintf("is %q: %s", s, form)
}

// formatDuration writes what parseDuration reads.
func formatDuration(d time.Duration) string {
	var b strings.Builder
	for _, u := range units {
		if n := d / u.length; n > 0 {
			fmt.Fprintf(&b, "%d%c", n, u.letter)
			d -= n * u.length
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

// issuer judges the address that stands in every token. It has no query and no
// fragment (RFC 8414 section 2), and here no path either: cookies named __Host-
// belong to a whole host (RFC 6265bis section 4.1.3.2). One spelling only, for
// issuers and origins are compared byte by byte.
func issuer(s string) (says string) {
	const form = "such as https://auth.example.com"
	if s == "" {
		return "is missing: the address people see, " + form
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return fmt.Sprintf("is %q: an address is wanted, %s", s, form)
	case u.Scheme != "https" && u.Scheme != "http":
		return "must begin with https://"
	case u.User != nil:
		return "must not hold a user or password"
	case strings.ContainsAny(s, "?#"):
		return "must have no query and no fragment"
	case u.Path == "/":
		return "must not end with a slash"
	case u.Path != "":
		return "must have no path: Doorward takes a whole host"
	case u.Scheme == "http" && !onThisMachine(s):
		return "must be https; http is for http://localhost:PORT, on this machine alone"
	}
	host, port := u.Hostname(), u.Port()
	if host == "" || strings.HasPrefix(host, ".") || strings.HasSuffix(host, ".") || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:") != "" {
		return "must name its host in small letters, digits, hyphens and dots (other scripts as xn--)"
	}
	if port != "" && !canonicalPort(port) || s != u.Scheme+"://"+u.Host || strings.HasSuffix(u.Host, ":") {
		return "must have a port from 1 to 65535 or none"
	}
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return "must leave out the usual port " + port + ", as browsers do"
	}
	return ""
}

// signingAlg judges the algorithm of new signing keys.
func signingAlg(s string) (says string) {
	if a := jose.Alg(s); !a.Known() {
		return fmt.Sprintf("is %q: one of %s", s, jose.Algs())
	}
	return ""
}

// keyEncryptionKeys judges a key-encryption key and those that it follows.
func keyEncryptionKeys(s string) (says string) {
	if _, err := parseKEK(s); err != nil {
		return err.Error()
	}
	return ""
}

func canonicalPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == port
}

// onThisMachine says whether an issuer is http and names this machine.
func onThisMachine(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "http" {
		return false
	}
	host := u.Hostname()
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

// loopback says whether only this machine reaches a listener.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func freePort(listen string) bool { return strings.HasSuffix(listen, ":0") }

func address(s string) (says string) {
	host, port, err := net.SplitHostPort(s)
	if err != nil || port != "0" && !canonicalPort(port) || strings.ContainsAny(host, " /@") {
		return fmt.Sprintf("is %q: host:port is wanted, such as 127.0.0.1:8400", s)
	}
	return ""
}

func absolute(s string) (says string) {
	if !filepath.IsAbs(s) || filepath.Clean(s) != s {
		return fmt.Sprintf("is %q: a path from the root is wanted, such as /var/lib/doorward", s)
	}
	return ""
}

func database(s string) (says string) {
	if path, ok := strings.CutPrefix(s, "sqlite://"); ok {
		// What follows a ? would be read as options of the engine.
		if absolute(path) != "" || strings.ContainsAny(path, "?#%") {
			return "must be sqlite:// and a path from the root, such as sqlite:///var/lib/doorward/doorward.db"
		}
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "postgres" || u.Opaque != "" || len(u.Path) < 2 {
		return "must be sqlite:///path or postgres://user@host/name"
	}
	return ""
}

func oneOf(s string, words ...string) (says string) {
	if !slices.Contains(words, s) {
		return fmt.Sprintf("is %q: one of %s is wanted", s, strings.Join(words, ", "))
	}
	return ""
}

// domains reads the domains of e-mail addresses, in the form that addresses
// are compared in.
func domains(s string) (out []string, says string) {
	if s == "" {
		return nil, ""
	}
	for one := range strings.SplitSeq(s, ",") {
		one = strings.TrimSpace(one)
		if canonical, ok := identity.Canonical("a@" + one); !ok || canonical != "a@"+one {
			return nil, fmt.Sprintf("has %q: domains are wanted in small letters, such as example.com", one)
		}
		out = append(out, one)
	}
	return out, ""
}

func mailSetting(s string) (says string) {
	if dir, ok := strings.CutPrefix(s, "file:"); ok {
		return absolute(dir)
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "smtp" || u.Hostname() == "" {
		return "must be smtp://user@host:587?from=ADDRESS or file:/directory"
	}
	return ""
}

// prefixes reads networks. One that holds everybody is refused, with what
// would come of it.
func prefixes(s, of string) (out []netip.Prefix, says string) {
	if s == "" {
		return nil, ""
	}
	for one := range strings.SplitSeq(s, ",") {
		p, err := netip.ParsePrefix(strings.TrimSpace(one))
		switch {
		case err != nil:
			return nil, fmt.Sprintf("has %q: networks are wanted, such as 10.0.0.3/32", one)
		case p != p.Masked():
			return nil, fmt.Sprintf("has %q: the network is %s", one, p.Masked())
		case p.Bits() == 0:
			return nil, fmt.Sprintf("has %q: that is everybody, and %s", one, of)
		}
		out = append(out, p)
	}
	return out, ""
}

// withoutPassword hides what a URL holds between the user and the host, and
// everything in a text that is no URL.
func withoutPassword(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "(hidden)"
	}
	if q := u.Query(); q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}

// nearest is the name that a misspelt one most likely meant, or nothing.
func nearest(given string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if d := distance(given, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance counts the letters to add, drop or change (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
