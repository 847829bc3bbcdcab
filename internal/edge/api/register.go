package api

import (
	"net/http"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

// Register serves dynamic registration: applications that register themselves
// (RFC 7591), and change that later (RFC 7592).
type Register struct {
	Door   *door.Door
	Manage *manage.Manage
}

const registerAt = "/oauth/register"

// Routes mounts it.
func (s *Register) Routes(mux *http.ServeMux) {
	mux.Handle(registerAt, s.Door.On(unregistered, door.Address{Methods: map[string]door.Handler{"POST": s.register}}.Serve))
	mux.Handle(registerAt+"/{client}", s.Door.On(unregistered, door.Address{Methods: map[string]door.Handler{"GET": s.read, "PUT": s.change, "DELETE": s.remove}}.Serve))
}

// asked is the metadata of an application, with the members of RFC 7591 and
// OpenID Connect Registration that mean something here only at registration.
type asked struct {
	registration
	ApplicationType string   `json:"application_type,omitzero"`
	ResponseTypes   []string `json:"response_types,omitempty"`
}

// client is what a stranger registers: what is ours to say they do not.
func (in asked) client() manage.NewClient {
	c := in.registration.client()
	if c.Auth == "" {
		c.Auth = client.AuthBasic
	}
	c.Type = c.Kind(in.ApplicationType)
	c.SharedAlg = ""
	if len(c.Grants) == 0 {
		c.Grants = []string{client.GrantCode, client.GrantRefresh}
	}
	return c
}

// answer is RFC 7591 section 3.2.1.
type answer struct {
	registration
	ApplicationType string   `json:"application_type,omitzero"`
	ResponseTypes   []string `json:"response_types"`
	SecretExpires   *int64   `json:"client_secret_expires_at,omitzero"` // there when there is a secret; 0 is never
	Token           string   `json:"registration_access_token,omitzero"`
	URI             string   `json:"registration_client_uri"`
}

func (s *Register) answer(c client.Client, secret, token string) answer {
	out := answer{registration: registered(c, secret), ResponseTypes: []string{"code"}, Token: token, URI: s.Door.Issuer.String() + registerAt + "/" + c.ID, ApplicationType: "web"}
	if c.Type == "native" {
		out.ApplicationType = "native"
	}
	if client.Secretive(c.Auth) {
		out.SecretExpires = new(int64)
	}
	return out
}

func (s *Register) register(w http.ResponseWriter, r *http.Request) error {
	initial, dpop, err := door.Bearer(r)
	if err != nil {
		return err
	}
	in, err := read(w, r)
	if err != nil {
		return err
	}
	if dpop {
		return check.Refuse(client.RegistrationPermitted)
	}
	made, err := s.Manage.Register(r.Context(), s.Door.Caller(r), initial, in.client())
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusCreated, s.answer(made.Client, made.Secret, made.Token))
	return nil
}

func read(w http.ResponseWriter, r *http.Request) (in asked, err error) {
	raw, err := door.RawJSON(w, r)
	if err == nil {
		err = door.ReadMetadata(raw, &in)
	}
	return in, err
}

func (s *Register) read(w http.ResponseWriter, r *http.Request) error {
	token, _, err := door.Bearer(r)
	if err != nil {
		return err
	}
	c, err := s.Manage.Registered(r.Context(), r.PathValue("client"), token)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, s.answer(c, "", ""))
	return nil
}

func (s *Register) change(w http.ResponseWriter, r *http.Request) error {
	token, _, err := door.Bearer(r)
	if err != nil {
		return err
	}
	in, err := read(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("client")
	made, err := s.Manage.Reregister(r.Context(), s.Door.Caller(r), id, token, in.client())
	if err != nil {
		return err
	}
	c, err := s.Manage.FindClient(r.Context(), id)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, s.answer(c, made, ""))
	return nil
}

func (s *Register) remove(w http.ResponseWriter, r *http.Request) error {
	token, _, err := door.Bearer(r)
	if err != nil {
		return err
	}
	if err := s.Manage.Deregister(r.Context(), s.Door.Caller(r), r.PathValue("client"), token); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// unregistered renders a refusal (RFC 7591 section 3.2.2): 401 for a token that
// is missing or wrong, 403 where nobody may, 400 for what was asked for.
func unregistered(w http.ResponseWriter, r *http.Request, e *check.Refusal, status int) {
	c := e.Check()
	code := door.OAuthCode(c)
	switch c.Fault {
	case fault.Unauthenticated:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	case fault.Denied, fault.Malformed, fault.TooLarge, fault.Unsupported, fault.Method, fault.Slow, fault.Busy, fault.Internal, fault.Misdirected:
	default:
		status = http.StatusBadRequest
	}
	if c == client.Metadata {
		code = "invalid_client_metadata"
	}
	out := door.OAuthError{Error: code, Description: c.Title, Check: c.Shown, Ref: e.Ref}
	if why := e.Word.String(); why != "" {
		out.Description += " (" + why + ")"
	}
	door.WriteJSON(w, "application/json", status, out)
}

type newPermission struct {
	Uses     int   `json:"uses,omitzero" says:"How many applications may be registered with it: 1 when left out, at most 1000."`
	Lifetime int64 `json:"lifetime,omitzero" says:"In seconds: a day when left out, at most 90 days."`
}

type permission struct {
	ID      string    `json:"id"`
	Token   string    `json:"token,omitzero" says:"Told once."`
	Uses    int       `json:"uses" says:"That are left."`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

type permissionPage struct {
	Tokens []permission `json:"tokens"`
}

func permissionOf(i client.Initial, token string) permission {
	return permission{i.ID.String(), token, i.Uses, i.Created, i.Expires}
}

func (m *Manage) permit(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in newPermission
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	uses, life := max(in.Uses, 1), time.Duration(in.Lifetime)*time.Second
	if life == 0 {
		life = 24 * time.Hour
	}
	if in.Uses < 0 || uses > 1000 || in.Lifetime < 0 || in.Lifetime > 90*24*3600 {
		return check.Refuse(door.Body)
	}
	p, err := m.Manage.Permit(r.Context(), by, uses, life)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusCreated, permissionOf(p.Initial, p.Token))
	return nil
}

func (m *Manage) permissions(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	all, err := m.Manage.Permissions(r.Context())
	if err != nil {
		return err
	}
	out := permissionPage{Tokens: make([]permission, len(all))}
	for i, p := range all {
		out.Tokens[i] = permissionOf(p, "")
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}

func (m *Manage) unpermit(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	id, _ := client.ParseInitialID(r.PathValue("token"))
	if err := m.Manage.Unpermit(r.Context(), by, id); err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, permission{ID: id.String()})
	return nil
}
