package rig

import (
	"encoding/hex"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/secret"
)

// A User is a person who can sign in.
type User struct{ ID, Email, Password string }

// User makes a person with a password.
func (s *Server) User(name string) User {
	s.t.Helper()
	random := secret.Random16()
	u := User{Email: name + "@example.com", Password: "lamp " + hex.EncodeToString(random[:])}
	s.record.secret("password", u.Password)
	var made struct {
		ID string `json:"id"`
	}
	r := s.CLI(u.Password+"\n", "users", "create", "--email", u.Email, "--password-stdin", "--json")
	if err := json.Unmarshal([]byte(r.Stdout), &made); r.Code != 0 || err != nil {
		s.t.Fatalf("users create: %d %s %s", r.Code, r.Stdout, r.Stderr)
	}
	u.ID = made.ID
	return u
}

// SignIn signs a person in, in a browser of their own at a page of the
// server's.
func (s *Server) SignIn(u User) *Browser {
	s.t.Helper()
	return s.SignInAt(u, s.URL)
}

// SignInAt is SignIn at a page of another origin.
func (s *Server) SignInAt(u User, origin string) *Browser {
	s.t.Helper()
	b := s.Browser()
	b.Origin = origin
	b.Do(http.MethodPost, "/session", Credentials(u)).Want(s.t, http.StatusCreated)
	return b
}

// Credentials is the body of a sign-in.
func Credentials(u User) map[string]string {
	return map[string]string{"email": u.Email, "password": u.Password}
}

// A Client is a registered application.
type Client struct{ ID, Secret string }

// Register registers an application from metadata (RFC 7591).
func (s *Server) Register(metadata map[string]any) Client {
	s.t.Helper()
	text, err := json.Marshal(metadata)
	if err != nil {
		s.t.Fatal(err)
	}
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	r := s.CLI(string(text), "clients", "create", "--metadata", "-", "--json")
	if err := json.Unmarshal([]byte(r.Stdout), &made); r.Code != 0 || err != nil {
		s.t.Fatalf("clients create: %d %s %s", r.Code, r.Stdout, r.Stderr)
	}
	return Client{made.ID, made.Secret}
}

// API registers a resource server that follows revocations.
func (s *Server) API(id, audience string) Client {
	s.t.Helper()
	return s.Register(map[string]any{"client_id": id, "client_name": id, "doorward_type": "machine",
		"doorward_resources": []string{audience}, "scope": "revocations:read"})
}

// App registers a first-party page of an origin, whose tokens are for an API.
func (s *Server) App(id, origin, audience string) Client {
	s.t.Helper()
	return s.Register(map[string]any{"client_id": id, "client_name": id, "doorward_type": "spa", "doorward_first_party": true,
		"doorward_origins": []string{origin}, "doorward_resources": []string{audience}, "scope": "account notes:read"})
}
