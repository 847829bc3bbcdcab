package ui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var static embed.FS

type asset struct {
	kind string // Content-Type
	body []byte
}

// assets by path, and the path of each by file name: a changed file has a changed address, so browsers may keep
// each of them for good.
var assets, assetPath = load(map[string]string{
	"app.css":  "text/css; charset=utf-8",
	"app.js":   "text/javascript; charset=utf-8",
	"icon.svg": "image/svg+xml",
})

func load(kinds map[string]string) (byPath map[string]asset, pathOf map[string]string) {
	byPath, pathOf = map[string]asset{}, map[string]string{}
	for name, kind := range kinds {
		body, err := static.ReadFile("static/" + name)
		if err != nil {
			panic(err) // the file is compiled in: only a build without it gets here
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(name)
		at := "/s/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
		byPath[at], pathOf[name] = asset{kind, body}, at
	}
	return byPath, pathOf
}

// AssetPath is the address of one of our files, for templates.
func AssetPath(name string) (string, error) {
	at, ok := assetPath[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return at, nil
}

// IsAsset says whether one of our files has this path.
func IsAsset(path string) bool {
	_, ok := assets[path]
	return ok
}

// Assets serves the stylesheet, the script and the icon under /s/. Any other path is 404.
func Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.kind)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		// ServeContent answers HEAD, ranges and other methods; a zero time sends no Last-Modified.
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
	})
}
