package app

import "strings"

// An Explanation says what a setting is for.
type Explanation struct {
	Key         string `json:"key"`
	Says        string `json:"says"`
	Default     string `json:"default,omitzero"`
	Environment string `json:"environment"`
}

// explanations are the handbook's words on each setting; a test holds that
// every setting has some, and nothing else.
var explanations = map[string]string{
	"issuer":                 "The address people see. It is in every token and the passkey domain, and hard to change. https, or http://localhost:PORT for development on this machine.",
	"data":                   "The directory of database, key-encryption key and socket. Who can read it is an administrator.",
	"listen":                 "Where the server listens. TLS is ended here with tls_cert, or by a proxy in front of it.",
	"ops_listen":             "Where metrics are, and Go's profiles when it is a loopback address. Never the public one.",
	"database":               "sqlite:///path, or postgres://user@host/name for more than one node.",
	"mail":                   "smtp://user@host:587?from=ADDRESS, or file:/directory, where each mail becomes a file. Empty sends none.",
	"mail_password":          "The password of the mail server; best as DOORWARD_MAIL_PASSWORD_FILE.",
	"geo_file":               "A .mmdb file that says roughly where an address is. Empty: networks only, no places.",
	"trusted_proxies":        "The proxies whose X-Forwarded-For is believed, as networks: [\"10.0.0.3/32\"]. doctor finds the one that is missing.",
	"tls_cert":               "The file of this server's certificate and those above it, in PEM: TLS ends here. Read again when it changes.",
	"tls_key":                "The file of the certificate's key, in PEM.",
	"mtls_listen":            "Where applications connect that show certificates (RFC 8705): the protocol's addresses alone, for machines. Needs tls_cert and tls_key.",
	"mtls_url":               "The address of mtls_listen, or of the proxy that asks for certificates, as applications see it. The issuer's name with the port of mtls_listen when empty.",
	"mtls_header":            "The header in which a trusted proxy passes on the certificate that it asked for: Client-Cert (RFC 9440), or one of URL-encoded PEM. The proxy must remove it from what comes in.",
	"mtls_ca":                "The file of who may sign the certificates of applications that use tls_client_auth, in PEM. Read again when it changes.",
	"session.idle":           "How long a sign-in lasts without use. From 5m to 30d.",
	"session.max":            "How long a sign-in lasts in any case. From 5m to 90d.",
	"session.admin_idle":     "How long a sign-in is good for administering over the network without use of the management API. From 1m to 1d.",
	"session.admin_max":      "How long a sign-in is good for administering over the network in any case. From 5m to 7d.",
	"token.access":           "How long an API that checks tokens by itself keeps accepting one after its session ended, unless it follows the feed. Shorter: sooner out, more refreshes. From 1m to 1h.",
	"token.refresh_idle":     "How long a refresh token lasts without use. From 5m to 365d.",
	"token.refresh_max":      "How long refreshing goes on after a sign-in in any case. From 5m to 365d.",
	"token.refresh_grace":    "In this time a used refresh token gets the same successor again: a second tab or a lost answer is no theft. From 0s to 30s.",
	"token.code":             "How long an authorization code can be traded for tokens. From 10s to 60s.",
	"token.leeway":           "How far the clocks of others may be off. From 0s to 1m.",
	"token.dpop_nonce":       "required asks for a nonce of the last minutes in every DPoP proof, so that none can be made in advance; optional reads one that is there.",
	"keys.alg":               "The algorithm of new signing keys.",
	"keys.rotate_every":      "How often keys take turns: the next is published before it signs, the last is kept while tokens of it live.",
	"keys.kek":               "The key-encryption key itself, for platforms that give secrets by environment; otherwise keys.kek_file.",
	"keys.kek_file":          "The file of the key that seals all others in the database. Every node has the same. Best on another volume than the database.",
	"sign_in.password_min":   "How many characters a new password has at least. From 15 to 64.",
	"sign_up.open":           "Who may make an account: invite (invited people), open (everybody) or domains (addresses of sign_up.domains).",
	"sign_up.domains":        "The domains of addresses that may make an account when sign_up.open is domains.",
	"registration.documents": "on: an application may come whose client_id is the address of a document that describes it (a client ID metadata document). It is read from here, within bounds, and gets what a stranger gets.",
	"registration.open":      "Who may have an application registered without you: off, token (whoever has one that doorward registration-tokens create made), open (everybody, a few an hour from one network). Such applications get no API of yours, and people are warned.",
	"outbound.allow":         "Loopback and private networks that may be called at addresses which applications name (jwks_uri, sign-out notices): [\"10.1.0.0/16\"]. All others are refused, and only these are called without TLS.",
	"limits.scale":           "Multiplies every budget and divides every delay. 1, but for tests.",
	"retain.ledger":          "How long refreshes, and the addresses and browsers of all entries, are kept in the ledger.",
	"retain.audit":           "How long changes, sign-ins and refusals are kept in the ledger.",
	"log.format":             "text for people, json for machines.",
	"log.level":              "How much is logged: debug, info, warn or error. No level logs a secret.",
}

// Explain says what a setting is for; near is the name that a misspelt one
// most likely meant.
func Explain(name string) (e Explanation, near string, ok bool) {
	var names []string
	for _, s := range settings() {
		names = append(names, s.key)
		if s.key == name {
			return Explanation{Key: s.key, Says: explanations[s.key], Default: s.standard, Environment: variable(s.key)}, "", true
		}
	}
	return Explanation{}, nearest(name, names), false
}

// Starter is a first configuration file: the lines that production needs, and
// where to look for the others.
func Starter(issuer, data, mail string) []byte {
	var b strings.Builder
	b.WriteString("# Check this file: doorward config check     What a setting does: doorward config explain KEY\n")
	for _, line := range [][2]string{{"issuer", issuer}, {"data", data}, {"mail", mail}} {
		if line[1] != "" {
			b.WriteString(line[0] + " = " + tomlString(line[1]) + "\n")
		}
	}
	b.WriteString("\n# Who ends TLS in front of this server; doorward doctor says when one is missing.\n# trusted_proxies = [\"10.0.0.3/32\"]\n")
	return []byte(b.String())
}

// tomlString is a text as a basic string (TOML 1.0.0).
func tomlString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}
