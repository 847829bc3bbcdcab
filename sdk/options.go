package doorward

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// An Option sets up a verifier. There is none that weakens a check.
type Option func(*settings) error

type settings struct {
	audience       string
	client, secret string
	stateless      bool
	now            func() time.Time
	http           *http.Client
	log            *slog.Logger
	public         string
	nonces         []byte
	certificates   passedOn
	shared         map[string]*key
	still          bool // no follower: tests poll by hand
}

// Audience names this API as tokens do in aud. It is required: without it a
// token made for any other API would pass here.
func Audience(aud string) Option {
	return func(s *settings) error {
		if aud == "" {
			return errors.New("the audience is empty")
		}
		s.audience = aud
		return nil
	}
}

// Client is the API's own confidential client, with the scope
// revocations:read: it reads the revocation feed and asks about tokens.
// Without it New reads DOORWARD_CLIENT_ID and the file that
// DOORWARD_CLIENT_SECRET_FILE names.
func Client(id, secret string) Option {
	return func(s *settings) error {
		if id == "" || secret == "" {
			return errors.New("the client's id or secret is empty")
		}
		s.client, s.secret = id, secret
		return nil
	}
}

// Stateless gives up the revocation feed: a token is good until it expires,
// even when its session has ended. Say it where that is what you want.
func Stateless() Option {
	return func(s *settings) error { s.stateless = true; return nil }
}

// SharedSecret is for the one service that shares a secret with the server
// (doorward clients share): the verifier takes JWTs that are signed by it, under
// this one of HS256, HS384 and HS512, and no others. No public key is read, so
// none can take a secret's place. Give it again with the next secret while tokens
// by the one before still live.
func SharedSecret(kid, algorithm string, secret []byte) Option {
	return func(s *settings) error {
		least, ok := sharedAlgorithms[jose.SignatureAlgorithm(algorithm)]
		switch {
		case !ok:
			return fmt.Errorf("a shared secret is for HS256, HS384 or HS512, not %s", quoted(algorithm))
		case len(secret) < least:
			return fmt.Errorf("a shared secret for %s has %d bytes or more", algorithm, least)
		case kid == "" || len(kid) > maxKeyID || s.shared[kid] != nil:
			return errors.New("a shared secret's key id is missing, too long, or there twice")
		}
		if s.shared == nil {
			s.shared = make(map[string]*key)
		}
		s.shared[kid] = &key{id: kid, algorithm: jose.SignatureAlgorithm(algorithm), public: bytes.Clone(secret)}
		return nil
	}
}

// sharedAlgorithms are those of shared secrets, with how many bytes one has at
// least (RFC 7518 section 3.2).
var sharedAlgorithms = map[jose.SignatureAlgorithm]int{jose.HS256: 32, jose.HS384: 48, jose.HS512: 64}

// HTTPClient is used for every request to the server. Redirects are not
// followed whatever it says. Default: a client of the verifier's own.
func HTTPClient(c *http.Client) Option {
	return func(s *settings) error { s.http = c; return nil }
}

// WithClock sets the clock, for tests. Default: time.Now.
func WithClock(now func() time.Time) Option {
	return func(s *settings) error { s.now = now; return nil }
}

// Logger takes one line per refusal (at most 20 a second) and one whenever the
// server is lost or found. Default: slog.Default.
func Logger(l *slog.Logger) Option {
	return func(s *settings) error { s.log = l; return nil }
}

func newSettings(opts []Option) (*settings, error) {
	s := &settings{now: time.Now, log: slog.Default()}
	for _, o := range opts {
		if err := o(s); err != nil {
			return nil, err
		}
	}
	if s.audience == "" {
		return nil, errors.New("say which API this is: doorward.Audience(...)")
	}
	if s.client == "" && !s.stateless {
		if err := s.readEnvironment(); err != nil {
			return nil, err
		}
	}
	var own http.Client
	if s.http != nil {
		own = *s.http
	} else if t, ok := http.DefaultTransport.(*http.Transport); ok {
		own.Transport = t.Clone()
	}
	// A redirect could carry the client's secret to another place.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.http = &own
	return s, nil
}

func (s *settings) readEnvironment() error {
	id, file := os.Getenv("DOORWARD_CLIENT_ID"), os.Getenv("DOORWARD_CLIENT_SECRET_FILE")
	if id == "" || file == "" {
		return errors.New("give the API's own client, doorward.Client(id, secret) or DOORWARD_CLIENT_ID and " +
			"DOORWARD_CLIENT_SECRET_FILE, or say doorward.Stateless() to go without the revocation feed")
	}
	secret, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("DOORWARD_CLIENT_SECRET_FILE: %w", err)
	}
	s.client, s.secret = id, strings.TrimRight(string(secret), "\r\n")
	if s.secret == "" {
		return errors.New("DOORWARD_CLIENT_SECRET_FILE: the file is empty")
	}
	return nil
}
