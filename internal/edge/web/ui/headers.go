package ui

import (
	"net/http"
	"strings"
)

// contentSecurity allows our own files and nothing else: nothing inline, no frame, no sink for strings
// (ASVS 3.4.3, 3.4.6). form-action stays 'self' because pages leave by /return, never by a redirect after a POST; only
// the page of a leaver adds the one origin that its form is for.
const contentSecurity = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// refused are the browser features no page of ours uses. The policy has no wildcard, and browsers warn about
// names they do not know, so these are the ones all major engines implement.
var refused = []string{
	"accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation",
	"gyroscope", "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock",
	"sync-xhr", "usb", "xr-spatial-tracking",
}

var permissions = "publickey-credentials-get=(self), publickey-credentials-create=(self), " +
	strings.Join(refused, "=(), ") + "=()"

// Headers sets what every HTML answer carries.
func Headers(h http.Header) {
	h.Set("Content-Security-Policy", contentSecurity)
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", permissions)
	h.Set("Referrer-Policy", "no-referrer") // an address may hold a code or a state (RFC 9700 section 4.2.4)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}
