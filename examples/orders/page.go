package orders

import (
	"embed"
	"net/http"
)

//go:embed static
var static embed.FS

// policy lets the page run its own files and talk to its own origin, nothing
// else. Text reaches the page as text: no string can become markup or script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

func page(mux *http.ServeMux) {
	for path, file := range map[string]struct{ name, kind string }{
		"/demo":            {"static/orders.html", "text/html; charset=utf-8"},
		"/demo/orders.css": {"static/orders.css", "text/css; charset=utf-8"},
		"/demo/orders.js":  {"static/orders.js", "text/javascript; charset=utf-8"},
	} {
		body, err := static.ReadFile(file.name)
		if err != nil {
			panic(err) // not in the binary
		}
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("Content-Type", file.kind)
			h.Set("Content-Security-Policy", policy)
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Cache-Control", "no-store")
			_, _ = w.Write(body)
		})
	}
}
