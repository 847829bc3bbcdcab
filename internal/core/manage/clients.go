package manage

import (
	"context"
	"slices"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
)

var createClient = check.Declare(211, "client.create", client.Metadata, client.IDFree)

// A NewClient is an application to be registered. Secret is given by the
// operator or, for a confidential client without one, made here.
type NewClient struct {
	client.Client
	Secret string
}

// CreateClients registers applications, all or none, and gives each its
// secret for the only time it can be read.
func (m *Manage) CreateClients(ctx context.Context, by settle.Caller, in []NewClient) ([]NewClient, error) {
	made := make([]NewClient, len(in))
	for i, c := range in {
		made[i] = complete(c)
	}
	known := m.sectors(ctx, clientsOf(made)...)
	err := m.pipe.Run(ctx, createClient, by, func(j *settle.Judgement) core.Unit {
		word, good := m.metadata(made)
		if good && slices.ContainsFunc(clientsOf(made), func(c client.Client) bool { return !known(c) }) {
			word, good = client.WordSector, false
		}
		if !j.Hold(client.Metadata, good, check.As(word)) {
			return nil
		}
		if !j.Hold(client.IDFree, m.free(j, made)) {
			return nil
		}
		// Nodes that answered for an origin until now look again.
		u := core.Unit{revocation.Next{}, m.event(revocation.Name{Unit: revocation.Changed, ID: client.BuiltIn}, j.Now)}
		for i := range made {
			made[i].Created = j.Now
			u = append(u, creation(made[i].Client)...)
		}
		j.Client = made[0].ID
		return u
	}, nil)
	if err == nil {
		for _, c := range made {
			m.needs(ctx, c.Client)
		}
	}
	return made, err
}

// complete fills in what a registration leaves open.
func complete(c NewClient) NewClient {
	if c.ID == "" {
		r := secret.Random16()
		c.ID = "client_" + secret.Encode(r[:])
	}
	if c.Type == "" {
		c.Type = "web"
	}
	if len(c.Scopes) == 0 && !c.FirstParty && c.Type != "machine" {
		// What OpenID Connect itself speaks of (RFC 7591 section 2: the server
		// may give a default set).
		c.Scopes = []string{"openid", "profile", "email", "offline_access"}
	}
	if c.TokenFormat == "" {
		c.TokenFormat = client.JWT
	}
	if c.Auth == "" {
		c.Auth = client.AuthBasic
		if c.Type == "spa" || c.Type == "native" {
			c.Auth = client.AuthNone
		}
	}
	if client.Secretive(c.Auth) && c.Secret == "" {
		c.Secret = newSecret()
	}
	if c.Secret != "" {
		c.Client.Secret.Hash = client.HashOf(c.ID, c.Secret)
	}
	return c
}

func newSecret() string {
	r := secret.Random()
	return "dw_cs_" + secret.Encode(r[:])
}

func (m *Manage) metadata(made []NewClient) (check.Word, bool) {
	for i, c := range made {
		if w, ok := m.acceptable(c.Client); !ok {
			return w, false
		}
		// What an operator brings from elsewhere is taken as it is, within reason.
		if c.Secret != "" && (len(c.Secret) < 8 || len(c.Secret) > 512) {
			return client.WordSecret, false
		}
		if slices.ContainsFunc(made[:i], func(o NewClient) bool { return o.ID == c.ID }) {
			return client.WordID, false
		}
	}
	return 0, len(made) > 0
}

// acceptable judges an application by its own rules and by those of the
// deployment: its refresh tokens do not outlive the keys that they come from.
func (m *Manage) acceptable(c client.Client) (check.Word, bool) {
	switch most := int64(m.policy.Token.Max / time.Second); {
	case c.RefreshMax > most:
		return client.WordMax, false
	case c.RefreshIdle > most:
		return client.WordIdle, false
	}
	return c.Valid(m.policy.Development)
}

func (m *Manage) free(j *settle.Judgement, made []NewClient) bool {
	for _, c := range made {
		// One that was deleted keeps its id.
		if j.View.Client(c.ID).ID != "" || !originsFree(j, c.Client) {
			return false
		}
	}
	return true
}

// originsFree says whether no other application claimed an origin of a
// first-party one.
func originsFree(j *settle.Judgement, c client.Client) bool {
	for _, o := range c.Origins {
		if owner := j.ClientOf(o); c.FirstParty && owner.Exists() && owner.ID != c.ID {
			return false
		}
	}
	return true
}

func creation(c client.Client) core.Unit {
	u := core.Unit{client.Create{ID: c.ID, Name: c.Name, Type: c.Type, FirstParty: c.FirstParty, Auth: c.Auth, SecretHash: c.Secret.Hash,
		RedirectURIs: c.RedirectURIs, PostLogout: c.PostLogout, Origins: c.Origins, Resources: c.Resources, Scopes: c.Scopes, Grants: c.Grants, Created: c.Created, TokenFormat: c.TokenFormat, Settings: c.Settings, AccessLife: c.AccessMicros()}}
	return append(u, places(c)...)
}

// places are the writes of the origins that an application's pages have.
func places(c client.Client) (u core.Unit) {
	for _, o := range c.PageOrigins() {
		u = append(u, client.Page{Origin: o, Client: c.ID})
	}
	if !c.FirstParty {
		return u
	}
	for _, o := range c.Origins {
		u = append(u, client.Claim{Origin: o, Client: c.ID})
	}
	// A first-party page is known by its origin; that of an address it goes
	// back to is its own, unless another application was first.
	for _, r := range c.RedirectURIs {
		if o, ok := client.OriginOf(r); ok && !slices.Contains(c.Origins, o) {
			u = append(u, client.Prefer{Origin: o, Client: c.ID})
		}
	}
	return u
}

// Clients lists the registered applications.
func (m *Manage) Clients(ctx context.Context) ([]client.Client, error) {
	v := m.pipe.Store.View(ctx)
	all := v.Clients()
	return all, v.Err()
}

// BuiltIn is the server's own client, which every database has.
func BuiltIn(now time.Time) core.Unit {
	return creation(client.Client{ID: client.BuiltIn, Name: "Doorward", Type: "web", FirstParty: true, Auth: "none", Scopes: []string{"account"}, TokenFormat: client.JWT, Created: now})
}
