// Package app puts Doorward together: it reads the configuration once, builds
// every part with the piece it needs, and runs them. It alone reads the clock.
package app

import (
	"net/netip"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
)

// Config is the whole configuration, checked. Each part of the program gets
// its piece and never the whole.
type Config struct {
	// Issuer is the address people see, kept exactly as written: it is the
	// iss of every token, compared byte by byte (RFC 8414 section 3.3).
	Issuer string
	// Development says that the issuer is http on this machine and nothing
	// else can reach the listener: no TLS is asked, mail stays in the browser.
	Development bool
	// Data is the absolute path of the directory of database, keys and socket.
	Data string
	// Listen and OpsListen are host:port; port 0 takes a free one.
	Listen, OpsListen string
	// Database is sqlite:// before an absolute path, or postgres://...; it may
	// hold a password.
	Database string
	// Mail is smtp://... or file: before a directory; empty sends none.
	Mail string
	// MailPassword is for the user of Mail.
	MailPassword string
	// GeoFile is the absolute path of a MaxMind database of places; empty
	// for none.
	GeoFile string
	// TrustedProxies are the peers whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// TLS is this server's own certificate; empty where a proxy ends TLS.
	TLS TLS
	// MTLS is where and how applications show certificates.
	MTLS MTLS

	Session Session
	Admin   Admin
	Token   Token
	Keys    Keys
	SignIn  SignIn
	SignUp  SignUp
	Limits  Limits
	Retain  Retain
	Log     Log

	Registration string // who may have applications registered: off, token, open
	Documents    bool   // an application may be known by the document at the address that is its id
	// Outbound are the networks that may be called at addresses which others
	// named, although they are not of the internet.
	Outbound []netip.Prefix

	// Values are all settings in the order of documentation, with where each
	// one came from.
	Values []Value
}

// TLS are the files of a certificate and its key, in PEM.
type TLS struct{ Cert, Key string }

// MTLS says where applications show certificates: at a listener of its own, or
// to a trusted proxy that passes them on in a header. URL is the address that
// they find it at, and CA the file of who may sign their certificates.
type MTLS struct{ Listen, URL, Header, CA string }

// Session says how long a sign-in lasts: Idle without use, Max in any case.
type Session struct{ Idle, Max time.Duration }

// Admin says how long a sign-in is good for administering over the network.
type Admin struct{ Idle, Max time.Duration }

// Token says how long tokens last. Inside RefreshGrace a spent refresh token
// gives its successor again; Leeway is the difference of clocks forgiven.
type Token struct {
	Access       time.Duration
	RefreshIdle  time.Duration
	RefreshMax   time.Duration
	RefreshGrace time.Duration
	Code         time.Duration
	Leeway       time.Duration
	// DPoPNonce is whether every DPoP proof must carry a nonce of this server.
	DPoPNonce string
}

// Words of token.dpop_nonce.
const (
	nonceOptional = "optional"
	nonceRequired = "required"
)

// Keys says what new signing keys are for, how long they sign, and where the
// key is that seals them: in a file, or in KEK itself, out of the environment.
type Keys struct {
	Alg         jose.Alg
	RotateEvery time.Duration
	KEKFile     string
	KEK         string
}

// SignIn says what is asked of people; PasswordMin counts characters.
type SignIn struct{ PasswordMin int }

// SignUp says who may make an account: invited people, everybody, or those
// whose address is of one of the Domains.
type SignUp struct {
	Open    string // invite, open, domains
	Domains []string
}

// Limits multiplies every budget and divides every delay by Scale.
type Limits struct{ Scale int }

// Retain says how long the two chains of the ledger are kept.
type Retain struct{ Ledger, Audit time.Duration }

// Log says how the log on stderr is written: as text for people or as JSON
// lines for machines, and how much of it.
type Log struct{ Format, Level string }

// A Source is where a value came from; a later one wins.
type Source string

const (
	FromDefault     Source = "default"
	FromFile        Source = "file"
	FromEnvironment Source = "environment"
	FromFlag        Source = "flag"
)

// A Value is one setting as `config show` prints it: passwords are left out.
type Value struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source Source `json:"source"`
}

const day = 24 * time.Hour

// settings is the catalogue of keys in the order of documentation. The ranges
// of lifetimes bound what a stolen token or a forgotten session is worth; each
// source is the section of the standard that sets or suggests it.
func settings() []setting {
	return []setting{
		{key: "issuer", kind: text, read: func(c *Config, s string) string { c.Issuer = s; return issuer(s) }},
		{key: "data", kind: text, standard: "/var/lib/doorward", read: func(c *Config, s string) string { c.Data = s; return absolute(s) }},
		{key: "listen", kind: text, standard: "127.0.0.1:8400", read: func(c *Config, s string) string { c.Listen = s; return address(s) }},
		{key: "ops_listen", kind: text, standard: "127.0.0.1:8401", read: func(c *Config, s string) string { c.OpsListen = s; return address(s) }},
		{key: "database", kind: text, secret: true, read: func(c *Config, s string) string { c.Database = s; return database(s) }},
		{key: "mail", kind: text, secret: true, read: func(c *Config, s string) string { c.Mail = s; return mailSetting(s) }},
		{key: "mail_password", kind: text, secret: true, read: func(c *Config, s string) string { c.MailPassword = s; return "" }},
		{key: "geo_file", kind: text, read: func(c *Config, s string) string { c.GeoFile = s; return absolute(s) }},
		{key: "trusted_proxies", kind: list, read: func(c *Config, s string) (says string) {
			c.TrustedProxies, says = prefixes(s, "everybody could forge an address")
			return says
		}},
		{key: "tls_cert", kind: text, read: func(c *Config, s string) string { c.TLS.Cert = s; return absolute(s) }},
		{key: "tls_key", kind: text, read: func(c *Config, s string) string { c.TLS.Key = s; return absolute(s) }},
		{key: "mtls_listen", kind: text, read: func(c *Config, s string) string { c.MTLS.Listen = s; return address(s) }},
		{key: "mtls_url", kind: text, read: func(c *Config, s string) string { c.MTLS.URL = s; return machineAddress(s) }},
		{key: "mtls_header", kind: text, read: func(c *Config, s string) string { c.MTLS.Header = s; return fieldName(s) }},
		{key: "mtls_ca", kind: text, read: func(c *Config, s string) string { c.MTLS.CA = s; return absolute(s) }},

		// Without use a sign-in may last 30 days at most (NIST SP 800-63B-4 section 2.1.3).
		duration("session.idle", "14d", 5*time.Minute, 30*day, func(c *Config) *time.Duration { return &c.Session.Idle }),
		duration("session.max", "30d", 5*time.Minute, 90*day, func(c *Config) *time.Duration { return &c.Session.Max }),
		duration("session.admin_idle", "15m", time.Minute, day, func(c *Config) *time.Duration { return &c.Admin.Idle }),
		duration("session.admin_max", "8h", 5*time.Minute, 7*day, func(c *Config) *time.Duration { return &c.Admin.Max }),

		// A verifier that follows no feed trusts a token this long after its session ended.
		duration("token.access", "5m", time.Minute, time.Hour, func(c *Config) *time.Duration { return &c.Token.Access }),
		duration("token.refresh_idle", "15d", 5*time.Minute, 365*day, func(c *Config) *time.Duration { return &c.Token.RefreshIdle }),
		// An absolute end for every family (ASVS 5.0 requirement 10.4.8).
		duration("token.refresh_max", "90d", 5*time.Minute, 365*day, func(c *Config) *time.Duration { return &c.Token.RefreshMax }),
		// Longer would be a window for the thief (RFC 9700 section 4.14.2).
		duration("token.code", "60s", 10*time.Second, 60*time.Second, func(c *Config) *time.Duration { return &c.Token.Code }),
		duration("token.refresh_grace", "10s", 0, 30*time.Second, func(c *Config) *time.Duration { return &c.Token.RefreshGrace }),
		// "Usually no more than a few minutes" (RFC 7519 section 4.1.4).
		duration("token.leeway", "30s", 0, time.Minute, func(c *Config) *time.Duration { return &c.Token.Leeway }),
		choice("token.dpop_nonce", []string{nonceOptional, nonceRequired}, func(c *Config) *string { return &c.Token.DPoPNonce }),

		{key: "keys.alg", kind: text, standard: string(jose.ES256), read: func(c *Config, s string) string { c.Keys.Alg = jose.Alg(s); return signingAlg(s) }},
		// Ninety days of signatures are what one key is worth (security defaults 3.6).
		duration("keys.rotate_every", "90d", day, 3650*day, func(c *Config) *time.Duration { return &c.Keys.RotateEvery }),
		{key: "keys.kek", kind: text, secret: true, only: FromEnvironment, read: func(c *Config, s string) string { c.Keys.KEK = s; return keyEncryptionKeys(s) }},
		{key: "keys.kek_file", kind: text, read: func(c *Config, s string) string { c.Keys.KEKFile = s; return absolute(s) }},
		// Fifteen where a password is the only factor (NIST SP 800-63B-4 section 3.1.1.2).
		whole("sign_in.password_min", "15", 15, 64, func(c *Config) *int { return &c.SignIn.PasswordMin }),
		{key: "sign_up.open", kind: text, standard: "invite", read: func(c *Config, s string) string { c.SignUp.Open = s; return oneOf(s, "invite", "open", "domains") }},
		{key: "sign_up.domains", kind: list, read: func(c *Config, s string) (says string) { c.SignUp.Domains, says = domains(s); return says }},
		{key: "registration.open", kind: text, standard: "token", read: func(c *Config, s string) string { c.Registration = s; return oneOf(s, "off", "token", "open") }},
		{key: "registration.documents", kind: text, standard: "off", read: func(c *Config, s string) string {
			c.Documents = s == "on"
			return oneOf(s, "off", "on")
		}},
		{key: "outbound.allow", kind: list, read: func(c *Config, s string) (says string) {
			c.Outbound, says = prefixes(s, "then whoever names an address could reach what only this server can")
			return says
		}},
		whole("limits.scale", "1", 1, 1_000_000, func(c *Config) *int { return &c.Limits.Scale }),
		duration("retain.ledger", "90d", day, 3650*day, func(c *Config) *time.Duration { return &c.Retain.Ledger }),
		duration("retain.audit", "400d", day, 3650*day, func(c *Config) *time.Duration { return &c.Retain.Audit }),
		choice("log.format", []string{"text", "json"}, func(c *Config) *string { return &c.Log.Format }),
		choice("log.level", []string{"info", "debug", "warn", "error"}, func(c *Config) *string { return &c.Log.Level }),
	}
}

// together judges what one value alone cannot show, and fills in the defaults
// that follow from other values.
func (c *Config) together() []Problem {
	var problems []Problem
	refuse := func(key, says string) { problems = append(problems, Problem{Key: key, Says: says}) }

	if c.Issuer == "" {
		refuse("issuer", issuer(""))
	}
	if onThisMachine(c.Issuer) {
		c.Development = loopback(c.Listen)
		if !c.Development {
			refuse("listen", c.Listen+" can be reached from elsewhere, and an http issuer is for this machine alone: listen on 127.0.0.1, or use an https issuer")
		}
	}
	if c.Listen == c.OpsListen && !freePort(c.Listen) {
		refuse("ops_listen", "is the same address as listen: metrics must not be public")
	}
	c.tlsTogether(refuse)
	if c.Session.Idle > c.Session.Max {
		refuse("session.idle", "is longer than session.max")
	}
	if c.Admin.Idle > c.Admin.Max {
		refuse("session.admin_idle", "is longer than session.admin_max")
	}
	if c.Token.RefreshIdle > c.Token.RefreshMax {
		refuse("token.refresh_idle", "is longer than token.refresh_max")
	}
	if (c.SignUp.Open == "domains") != (len(c.SignUp.Domains) > 0) {
		refuse("sign_up.domains", `belongs to sign_up.open = "domains", and that needs at least one`)
	}
	if c.SignUp.Open != "invite" && c.Mail == "" && !c.Development && c.Issuer != "" {
		refuse("sign_up.open", "needs mail: an account is made when its address is proved, and without mail none can be")
	}
	if c.Database == "" {
		c.Database = "sqlite://" + c.Data + "/doorward.db"
	}
	switch {
	case c.Keys.KEK != "" && c.Keys.KEKFile != "":
		refuse("keys.kek", "is set beside keys.kek_file: the key is in the environment or in a file")
	case c.Keys.KEK == "" && c.Keys.KEKFile == "":
		c.Keys.KEKFile = c.Data + "/kek"
	}
	return problems
}
