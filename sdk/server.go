package doorward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Bounds on an answer of the server, in bytes.
const (
	smallAnswer = 256 << 10
	feedAnswer  = 16 << 20
)

// callTimeout bounds a request that the server should answer at once.
const callTimeout = 3 * time.Second

// A server is the Doorward server as its clients reach it.
type server struct {
	issuer         string
	client, secret string
	http           *http.Client
	now            func() time.Time
	known          atomic.Pointer[metadata]
}

// metadata are the members of RFC 8414 that a verifier uses.
type metadata struct {
	Issuer        string `json:"issuer"`
	JWKS          string `json:"jwks_uri"`
	Introspection string `json:"introspection_endpoint"`
	Revocations   string `json:"doorward_revocations_endpoint"`
	Stream        string `json:"doorward_revocations_stream_endpoint"`

	read time.Time
}

// A statusError is an answer other than 200: the server was reached.
type statusError struct {
	path   string
	status int
}

func (e *statusError) Error() string { return fmt.Sprintf("%s answered %d", e.path, e.status) }

// A shapeError is an answer that does not say what its specification asks.
type shapeError struct{ what string }

func (e *shapeError) Error() string { return e.what }

// unreachable says whether err means that the server could not be reached at
// all: no connection, no answer in time, or a 5xx.
func unreachable(err error) bool {
	var status *statusError
	if errors.As(err, &status) {
		return status.status >= 500
	}
	var shape *shapeError
	return err != nil && !errors.As(err, &shape)
}

// misconfigured says whether asking again cannot help.
func misconfigured(err error) bool {
	var status *statusError
	if errors.As(err, &status) {
		return status.status < 500 && status.status != http.StatusTooManyRequests && status.status != http.StatusRequestTimeout
	}
	var shape *shapeError
	return errors.As(err, &shape)
}

// checkIssuer refuses an issuer that could be read on the way: http is for
// loopback addresses alone.
func checkIssuerURL(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("issuer %q is not an address like https://auth.example.com", issuer)
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("issuer %q must be https", issuer)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// discover reads the server's metadata, once an hour at most. When that fails
// the last good answer stays.
func (s *server) discover(ctx context.Context) (*metadata, error) {
	known := s.known.Load()
	if known != nil && s.now().Sub(known.read) < time.Hour {
		return known, nil
	}
	fresh, err := s.readMetadata(ctx)
	if err != nil {
		if known != nil {
			return known, nil
		}
		return nil, err
	}
	s.known.Store(fresh)
	return fresh, nil
}

func (s *server) readMetadata(ctx context.Context) (*metadata, error) {
	// RFC 8414 section 3.1: the well-known part stands between host and path.
	u, err := url.Parse(s.issuer)
	if err != nil {
		return nil, err
	}
	u.Path = "/.well-known/oauth-authorization-server" + strings.TrimSuffix(u.Path, "/")
	m := &metadata{read: s.now()}
	if _, err := s.get(ctx, u.String(), false, smallAnswer, m); err != nil {
		return nil, err
	}
	// RFC 8414 section 3.3: exactly the issuer that was asked for.
	if m.Issuer != s.issuer {
		return nil, &shapeError{fmt.Sprintf("%s calls itself %q, not %q", u, m.Issuer, s.issuer)}
	}
	for name, address := range map[string]string{
		"jwks_uri": m.JWKS, "introspection_endpoint": m.Introspection, "doorward_revocations_endpoint": m.Revocations,
		"doorward_revocations_stream_endpoint": m.Stream,
	} {
		if address != "" && checkEndpoint(address) != nil {
			return nil, &shapeError{fmt.Sprintf("%s: %s must be https", u, name)}
		}
	}
	if m.JWKS == "" {
		return nil, &shapeError{u.String() + ": jwks_uri is missing"}
	}
	return m, nil
}

func checkEndpoint(address string) error {
	base, _, _ := strings.Cut(address, "?")
	return checkIssuerURL(base)
}

// get asks for a JSON document.
func (s *server) get(ctx context.Context, address string, asClient bool, most int64, into any) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return s.do(req, asClient, most, into)
}

// post sends a form, as the API's own client.
func (s *server) post(ctx context.Context, address string, form url.Values, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err = s.do(req, true, smallAnswer, into)
	return err
}

func (s *server) do(req *http.Request, asClient bool, most int64, into any) (http.Header, error) {
	req.Header.Set("Accept", "application/json")
	if asClient {
		// RFC 6749 section 2.3.1: form-encoded, then Basic.
		req.SetBasicAuth(url.QueryEscape(s.client), url.QueryEscape(s.secret))
	}
	res, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, &statusError{req.URL.Path, res.StatusCode}
	}
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return nil, &shapeError{req.URL.Path + " did not answer with JSON"}
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > most {
		return nil, &shapeError{req.URL.Path + " answered with too much"}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, &shapeError{req.URL.Path + ": " + err.Error()}
	}
	return res.Header, nil
}
