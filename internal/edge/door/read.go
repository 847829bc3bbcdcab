package door

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/session"
)

// MaxBody is the bound of a body that no endpoint says otherwise of.
const MaxBody = 64 << 10

const (
	maxDepth   = 32
	maxMembers = 256
)

// body reads a bounded body of one media type, without any encoding.
func body(w http.ResponseWriter, r *http.Request, media string, limit int64) ([]byte, error) {
	types := r.Header["Content-Type"]
	if len(types) != 1 || len(r.Header["Content-Encoding"]) > 0 {
		return nil, check.Refuse(Media)
	}
	got, params, err := mime.ParseMediaType(types[0])
	if err != nil || got != media || len(params) > 1 || len(params) == 1 && !strings.EqualFold(params["charset"], "utf-8") {
		return nil, check.Refuse(Media)
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, check.Refuse(Size)
	case err != nil:
		return nil, check.Refuse(Body)
	}
	return b, nil
}

// JSON reads a body into v: one value, no duplicate or unknown members, valid
// UTF-8, bounded in depth and members.
func JSON(w http.ResponseWriter, r *http.Request, v any) error {
	b, err := RawJSON(w, r)
	if err != nil {
		return err
	}
	return ReadJSON(b, v)
}

// ReadJSON is JSON for bytes.
func ReadJSON(b []byte, v any) error {
	if !bounded(b) || json.Unmarshal(b, v, json.RejectUnknownMembers(true)) != nil {
		return check.Refuse(Body)
	}
	return nil
}

// bounded walks a value once before anything is made of it (attack DOS-04).
func bounded(b []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(b))
	members := 0
	for {
		t, err := d.ReadToken()
		if err == io.EOF {
			return true
		}
		if err != nil || d.StackDepth() > maxDepth {
			return false
		}
		if k := t.Kind(); k == '"' || k == '0' {
			members++
			// NUL is text nowhere: one database refuses it, the other cuts there.
			if k == '"' && strings.ContainsRune(t.String(), 0) {
				return false
			}
		}
		if members > 4*maxMembers {
			return false
		}
	}
}

// Form reads a form of the hosted pages: each field once, none that the page
// does not have, valid UTF-8 without NUL.
func Form(w http.ResponseWriter, r *http.Request, fields ...string) (url.Values, error) {
	b, err := body(w, r, "application/x-www-form-urlencoded", MaxBody)
	if err != nil {
		return nil, err
	}
	return values(string(b), fields, Body)
}

// Boxes reads a form with boxes of one name: that may come several times, or
// not at all.
func Boxes(w http.ResponseWriter, r *http.Request, box string, fields ...string) (url.Values, []string, error) {
	b, err := body(w, r, "application/x-www-form-urlencoded", MaxBody)
	if err != nil {
		return nil, nil, err
	}
	if strings.Count(string(b), "&") > maxMembers {
		return nil, nil, check.Refuse(Body)
	}
	all, err := url.ParseQuery(string(b))
	if err != nil {
		return nil, nil, check.Refuse(Body)
	}
	ticked := all[box]
	delete(all, box)
	for _, v := range ticked {
		if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			return nil, nil, check.Refuse(Body)
		}
	}
	return all, ticked, once(all, fields, Body)
}

// OAuthForm reads a form of the protocol endpoints: every parameter at most
// once, those that nobody knows ignored (RFC 6749 sections 3.1 and 3.2), but
// the two that later documents let come several times.
func OAuthForm(w http.ResponseWriter, r *http.Request, known ...string) (url.Values, error) {
	b, err := body(w, r, "application/x-www-form-urlencoded", MaxBody)
	if err != nil {
		return nil, err
	}
	return OAuthValues(string(b), Body, known...)
}

// repeatable are the parameters that may come several times (RFC 8707 section
// 2; RFC 8693 section 2.1), and how often here.
var repeatable = map[string]int{"resource": 16, "audience": 16}

// OAuthValues is OAuthForm for parameters that stand somewhere else.
func OAuthValues(raw string, c *check.Check, known ...string) (url.Values, error) {
	all, err := url.ParseQuery(raw)
	if err != nil || strings.Count(raw, "&") > maxMembers {
		return nil, check.Refuse(c)
	}
	for name, vs := range all {
		for _, v := range vs {
			if len(vs) > max(1, repeatable[name]) || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return nil, check.Refuse(c, check.As(Parameter))
			}
		}
	}
	maps.DeleteFunc(all, func(name string, _ []string) bool { return !slices.Contains(known, name) })
	return all, nil
}

// Params reads the query, like Form.
func Params(r *http.Request, fields ...string) (url.Values, error) {
	return values(r.URL.RawQuery, fields, Query)
}

func values(raw string, fields []string, c *check.Check) (url.Values, error) {
	if strings.Count(raw, "&") > maxMembers {
		return nil, check.Refuse(c)
	}
	v, err := url.ParseQuery(raw)
	if err != nil {
		return nil, check.Refuse(c)
	}
	return v, once(v, fields, c)
}

// once demands that there are only these parameters, each a single text.
func once(v url.Values, fields []string, c *check.Check) error {
	for name, vs := range v {
		if len(vs) != 1 || !slices.Contains(fields, name) || !utf8.ValidString(vs[0]) || strings.ContainsRune(vs[0], 0) {
			return check.Refuse(c)
		}
	}
	return nil
}

// The names of our cookies. Over http, in development, browsers other than
// Chromium refuse the prefix, so there it is left out.
const (
	SessionCookie = "doorward_session"
	RefreshCookie = "doorward_refresh"
	FormCookie    = "doorward_flow"
	DeviceCookie  = "doorward_device"
)

// Name is a cookie's full name here.
func (d *Door) Name(cookie string) string {
	if d.Dev {
		return cookie
	}
	return "__Host-" + cookie
}

// Cookie is the value of a cookie of ours; "" when it was not sent. One that
// was sent twice is planted by a sibling and counts as none (attack SES-05);
// nor is one in quotes ours, for we set none, and a value has one spelling.
func (d *Door) Cookie(r *http.Request, name string) (value string, twice bool) {
	name = d.Name(name)
	n := 0
	for _, c := range r.CookiesNamed(name) {
		if n++; !c.Quoted {
			value = c.Value
		}
	}
	if n > 1 {
		return "", true
	}
	return value, false
}

// SetCookie sets a cookie of ours for so many seconds; fewer than one removes it.
func (d *Door) SetCookie(w http.ResponseWriter, name, value string, seconds int) {
	if seconds < 1 {
		seconds, value = -1, ""
	}
	http.SetCookie(w, &http.Cookie{Name: d.Name(name), Value: value, Path: "/", MaxAge: seconds, HttpOnly: true,
		Secure: !d.Dev, SameSite: http.SameSiteLaxMode})
}

// KeepDevice gives the browser what it is known by; nothing when it has it.
func (d *Door) KeepDevice(w http.ResponseWriter, marks string) {
	if marks != "" {
		d.SetCookie(w, DeviceCookie, marks, int(session.DeviceKept.Seconds()))
	}
}

// RawJSON is a bounded JSON body, unread.
func RawJSON(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return body(w, r, "application/json", MaxBody)
}

// MaxLines is the bound of a body of JSON lines.
const MaxLines = 1 << 20

// Lines reads a body of JSON lines, each a document for ReadJSON; at most so many.
func Lines(w http.ResponseWriter, r *http.Request, most int) ([][]byte, error) {
	b, err := body(w, r, "application/jsonl", MaxLines)
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	if len(b) == 0 {
		return nil, nil
	}
	if bytes.Count(b, []byte("\n")) >= most {
		return nil, check.Refuse(Size)
	}
	return bytes.Split(b, []byte("\n")), nil
}

// ReadMetadata is ReadJSON for client metadata, where members that mean
// nothing here are ignored (RFC 7591 section 2).
func ReadMetadata(b []byte, v any) error {
	if !bounded(b) || json.Unmarshal(b, v) != nil {
		return check.Refuse(Body)
	}
	return nil
}
