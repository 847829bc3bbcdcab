package api

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

// Manage serves the management API to whoever may open the host's socket:
// who has the host, administers.
type Manage struct {
	Door     *door.Door
	Manage   *manage.Manage
	Exchange *exchange.Exchanges
	Drills   *Drills
	// Accounts are the exchanges that an operator may start for a person.
	Accounts Accounts
	// Diagnose looks at the server and what it stands on.
	Diagnose func(context.Context) []Finding
}

type actorKey struct{}

// WithActor says who is at the other end of a local socket, as the kernel
// told: "host:uid".
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// by is the operator; one whom nobody vouched for is nobody.
func by(r *http.Request) (settle.Caller, error) {
	actor, _ := r.Context().Value(actorKey{}).(string)
	if actor == "" {
		return settle.Caller{}, check.Refuse(door.Site)
	}
	return settle.Caller{Actor: actor}, nil
}

type managedUser struct {
	ID       string    `json:"id"`
	Email    string    `json:"email"`
	Name     string    `json:"name,omitzero"`
	Verified bool      `json:"verified"`
	Admin    bool      `json:"admin,omitzero"`
	State    string    `json:"state"`
	Created  time.Time `json:"created"`
	DeleteAt time.Time `json:"delete_at,omitzero" says:"The person wants the account deleted then."`
}

type newUser struct {
	Email    string `json:"email"`
	Name     string `json:"name,omitzero"`
	Verified bool   `json:"verified,omitzero" says:"The address is known to be theirs."`
	Admin    bool   `json:"admin,omitzero"`
	Password string `json:"password,omitzero"`
}

type userPage struct {
	Users []managedUser `json:"users"`
	Next  string        `json:"next,omitzero" says:"Ask for what comes after it; left out at the end."`
}

func userJSON(u identity.User) managedUser {
	out := managedUser{u.ID.String(), u.Email, u.Name, u.Verified, u.Admin, u.State.String(), u.Created, time.Time{}}
	if u.Exists() {
		out.DeleteAt = u.DeleteAt
	}
	return out
}

func (m *Manage) createUser(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in newUser
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	if len(in.Name) > 256 {
		return check.Refuse(door.Body)
	}
	u, err := m.Manage.CreateUser(r.Context(), by, manage.NewUser{Email: in.Email, Name: in.Name, Verified: in.Verified, Admin: in.Admin, Password: in.Password})
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusCreated, userJSON(u))
	return nil
}

const pageAtMost = 500

func (m *Manage) users(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	q, err := door.Params(r, "after", "limit")
	if err != nil {
		return err
	}
	limit := pageAtMost
	if s := q.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > pageAtMost {
			return check.Refuse(door.Query)
		}
	}
	var after identity.UserID
	if s := q.Get("after"); s != "" {
		if after, err = identity.ParseUserID(s); err != nil {
			return check.Refuse(door.Query)
		}
	}
	all, err := m.Manage.Users(r.Context(), after, limit)
	if err != nil {
		return err
	}
	out := userPage{Users: make([]managedUser, len(all))}
	for i, u := range all {
		out.Users[i] = userJSON(u)
	}
	if len(all) == limit {
		out.Next = all[limit-1].ID.String()
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}

// registration is client metadata (RFC 7591 section 2) with our extensions.
type registration struct {
	ClientID     string   `json:"client_id,omitzero"`
	Secret       string   `json:"client_secret,omitzero"`
	Name         string   `json:"client_name,omitzero"`
	RedirectURIs []string `json:"redirect_uris,omitempty"`
	PostLogout   []string `json:"post_logout_redirect_uris,omitempty"`
	Scope        string   `json:"scope,omitzero"`
	Auth         string   `json:"token_endpoint_auth_method,omitzero"`
	Grants       []string `json:"grant_types,omitempty"`
	Type         string   `json:"doorward_type,omitzero"`
	FirstParty   bool     `json:"doorward_first_party,omitzero"`
	Resources    []string `json:"doorward_resources,omitempty"`
	Origins      []string `json:"doorward_origins,omitempty"`
	TokenFormat  string   `json:"doorward_token_format,omitzero"`
	IssuedAt     int64    `json:"client_id_issued_at,omitzero"`
	SharedAlg    string   `json:"doorward_shared_secret_alg,omitzero" says:"Told, and changed only at /api/v1/clients/{client}/shared-secret."`

	client.Settings `json:",inline"`
}

func (in registration) client() manage.NewClient {
	return manage.NewClient{Secret: in.Secret, Client: client.Client{ID: in.ClientID, Name: in.Name, Type: in.Type, FirstParty: in.FirstParty, Auth: in.Auth,
		RedirectURIs: in.RedirectURIs, PostLogout: in.PostLogout, Origins: in.Origins, Resources: in.Resources, Scopes: strings.Fields(in.Scope), Grants: in.Grants, TokenFormat: in.TokenFormat, Settings: in.Settings}}
}

func registered(c client.Client, secret string) registration {
	return registration{ClientID: c.ID, Secret: secret, Name: c.Name, RedirectURIs: c.RedirectURIs, PostLogout: c.PostLogout, Scope: strings.Join(c.Scopes, " "),
		Auth: c.Auth, Grants: c.Grants, Type: c.Type, FirstParty: c.FirstParty, Resources: c.Resources, Origins: c.Origins, TokenFormat: c.TokenFormat, IssuedAt: c.Created.Unix(), SharedAlg: string(c.SharedAlg), Settings: c.Settings}
}

func (m *Manage) createClients(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	raw, err := door.RawJSON(w, r)
	if err != nil {
		return err
	}
	var many []registration
	single := !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("["))
	if single {
		many = make([]registration, 1)
		err = door.ReadMetadata(raw, &many[0])
	} else {
		err = door.ReadMetadata(raw, &many)
	}
	if err != nil {
		return err
	}
	in := make([]manage.NewClient, len(many))
	for i, c := range many {
		in[i] = c.client()
	}
	made, err := m.Manage.CreateClients(r.Context(), by, in)
	if err != nil {
		return err
	}
	out := make([]registration, len(made))
	for i, c := range made {
		out[i] = registered(c.Client, c.Secret)
	}
	if single {
		door.WriteJSON(w, "application/json", http.StatusCreated, out[0])
		return nil
	}
	door.WriteJSON(w, "application/json", http.StatusCreated, out)
	return nil
}

type clientPage struct {
	Clients []managedClient `json:"clients"`
}

func (m *Manage) clients(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	all, err := m.Manage.Clients(r.Context())
	if err != nil {
		return err
	}
	out := make([]managedClient, len(all))
	for i, c := range all {
		out[i] = clientJSON(c, "", m.Door.Now())
	}
	door.WriteJSON(w, "application/json", http.StatusOK, clientPage{out})
	return nil
}

type managedSession struct {
	ID   string `json:"id"`
	User struct {
		ID    string `json:"id"`
		Email string `json:"email"`
	} `json:"user"`
	Device   string    `json:"device"`
	IP       string    `json:"ip"`
	Method   string    `json:"method"`
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"last_seen"`
	State    string    `json:"state"`
	Ended    time.Time `json:"ended,omitzero"`
	Why      string    `json:"why,omitzero"`
}

type sessionPage struct {
	Sessions []managedSession `json:"sessions"`
}

type sessionStory struct {
	Session   managedSession `json:"session"`
	Exchanges []exchangeOut  `json:"exchanges"`
}

func listedJSON(l manage.Listed) managedSession {
	s := l.Session
	out := managedSession{ID: s.ID.String(), Device: session.Named(s.UserAgent), IP: s.IP, Method: s.Method, Created: s.Created, LastSeen: s.LastSeen,
		State: "live", Ended: s.Ended, Why: s.Why.String()}
	out.User.ID, out.User.Email = l.User.ID.String(), l.User.Email
	if !l.Live {
		out.State = "ended"
	}
	return out
}

func (m *Manage) sessions(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	q, err := door.Params(r, "q")
	if err != nil {
		return err
	}
	ctx, cancel := patient(w, r)
	defer cancel()
	all, err := m.Manage.Sessions(ctx, q.Get("q"))
	if err != nil {
		return err
	}
	out := make([]managedSession, len(all))
	for i, l := range all {
		out[i] = listedJSON(l)
	}
	door.WriteJSON(w, "application/json", http.StatusOK, sessionPage{out})
	return nil
}

func (m *Manage) session(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	id, _ := session.ParseID(r.PathValue("id"))
	l, entries, err := m.Manage.Session(r.Context(), id)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, sessionStory{listedJSON(l), told(entries, nil)})
	return nil
}
