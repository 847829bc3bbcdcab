package ui

import (
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestAnAssetMayBeKeptForGood(t *testing.T) {
	for _, name := range []string{"app.css", "app.js", "icon.svg"} {
		at, err := AssetPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^/s/(app|icon)\.[0-9a-f]{12}\.(css|js|svg)$`).MatchString(at) {
			t.Errorf("%s is at %s", name, at)
		}
		w := httptest.NewRecorder()
		Assets().ServeHTTP(w, httptest.NewRequest("GET", at, nil))
		h := w.Header()
		if w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("%s: %d, %d bytes", at, w.Code, w.Body.Len())
		}
		if got := h.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control %q", at, got)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Type") == "" || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: headers %v", at, h)
		}
	}
}

func TestOtherPathsAreNoAssets(t *testing.T) {
	for _, path := range []string{"/s/", "/s/app.css", "/s/app.000000000000.css", "/s/../static/app.css"} {
		w := httptest.NewRecorder()
		Assets().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != 404 || w.Header().Get("Cache-Control") != "" {
			t.Errorf("%s: %d, Cache-Control %q", path, w.Code, w.Header().Get("Cache-Control"))
		}
	}
	if _, err := AssetPath("app.map"); err == nil {
		t.Error("an unknown name has an address")
	}
}

type words string

func (p words) Render(w io.Writer) error {
	if p == "" {
		return errors.New("nothing to say")
	}
	_, err := io.WriteString(w, string(p))
	return err
}

func TestEveryPageCarriesTheHeaders(t *testing.T) {
	w := httptest.NewRecorder()
	if err := Write(w, http.StatusUnprocessableEntity, words("hello")); err != nil {
		t.Fatal(err)
	}
	if w.Code != 422 || w.Body.String() != "hello" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	for name, want := range map[string]string{
		"Content-Type":                 "text/html; charset=utf-8",
		"Cache-Control":                "no-store",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
			"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; " +
			"require-trusted-types-for 'script'; trusted-types 'none'",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	policy := w.Header().Get("Permissions-Policy")
	for _, part := range []string{"publickey-credentials-get=(self)", "publickey-credentials-create=(self)", "camera=()", "usb=()"} {
		if !strings.Contains(policy, part) {
			t.Errorf("Permissions-Policy %q has no %s", policy, part)
		}
	}
}

func TestAPageThatFailsSendsNothing(t *testing.T) {
	w := httptest.NewRecorder()
	if err := Write(w, 200, words("")); err == nil {
		t.Fatal("no error")
	}
	if w.Body.Len() != 0 || len(w.Header()) != 0 {
		t.Errorf("sent %v %q", w.Header(), w.Body)
	}
}

// The pairs that carry meaning, with the least contrast WCAG 2.2 asks: 4.5 for text (1.4.3), 3 for what marks a
// control (1.4.11).
var pairs = []struct {
	front, back string
	least       float64
}{
	{"text", "bg", 4.5}, {"text", "surface", 4.5}, {"text", "sunken", 4.5}, {"text", "danger-soft", 4.5}, {"text", "ok-soft", 4.5},
	{"muted", "bg", 4.5}, {"muted", "surface", 4.5}, {"muted", "sunken", 4.5}, {"muted", "danger-soft", 4.5},
	{"accent", "bg", 4.5}, {"accent", "surface", 4.5}, {"accent", "accent-soft", 4.5}, {"accent", "danger-soft", 4.5},
	{"on-accent", "accent", 4.5}, {"on-accent", "accent-hover", 4.5}, {"accent-hover", "surface", 4.5},
	{"danger", "surface", 4.5}, {"danger", "danger-soft", 4.5}, {"ok", "ok-soft", 3}, {"warn", "warn-soft", 3}, {"text", "warn-soft", 4.5}, {"accent", "warn-soft", 4.5},
	{"edge", "surface", 3}, {"edge", "bg", 3}, {"edge", "sunken", 3},
}

func TestContrast(t *testing.T) {
	css, err := static.ReadFile("static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, found := strings.Cut(string(css), "prefers-color-scheme: dark")
	if !found {
		t.Fatal("no dark theme")
	}
	dark, _, _ = strings.Cut(dark, "}")
	for theme, text := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(text, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, pair := range pairs {
			front, ok1 := colours[pair.front]
			back, ok2 := colours[pair.back]
			if !ok1 || !ok2 {
				t.Errorf("%s: no colour %s or %s", theme, pair.front, pair.back)
				continue
			}
			if got := (max(front, back) + 0.05) / (min(front, back) + 0.05); got < pair.least {
				t.Errorf("%s: %s on %s is %.2f:1, needs %.1f:1", theme, pair.front, pair.back, got, pair.least)
			}
		}
	}
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(shift uint) float64 {
		v := float64(n>>shift&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}
