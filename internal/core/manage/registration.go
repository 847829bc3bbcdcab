package manage

import (
	"context"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
)

var (
	permit   = check.Declare(395, "client.permit", client.RegistrationOpen)
	withdraw = check.Declare(396, "client.withdraw", clientFound)
	register = check.Declare(397, "client.register", client.RegistrationOpen, client.RegistrationCalm, client.RegistrationPermitted,
		client.RegistrationRedirect, client.RegistrationMetadata, client.IDFree)
	reregister = check.Declare(398, "client.present_registration", client.RegistrationOwn)
)

// registrations is how many applications one network may register (security
// defaults 3.4).
var registrations = []risk.Budget{{Count: 5, Per: time.Hour}}

// A Permission is an initial access token, told this once.
type Permission struct {
	client.Initial
	Token string
}

// Permit makes an initial access token for so many applications.
func (m *Manage) Permit(ctx context.Context, by settle.Caller, uses int, life time.Duration) (Permission, error) {
	r := secret.Random()
	out := Permission{Token: client.InitialPrefix + secret.Encode(r[:])}
	id := secret.Random16()
	err := m.pipe.Run(ctx, permit, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(client.RegistrationOpen, m.policy.Registration != client.RegisterOff) {
			return nil
		}
		out.Initial = client.Initial{ID: client.NewInitialID(j.Now, id), Hash: client.RegistrationHash(out.Token), Uses: uses, Created: j.Now, Expires: j.Now.Add(life)}
		return core.Unit{client.Permit(out.Initial)}
	}, nil)
	return out, err
}

// Permissions lists initial access tokens; never what they are.
func (m *Manage) Permissions(ctx context.Context) ([]client.Initial, error) {
	v := m.pipe.Store.View(ctx)
	all := v.Initials()
	return all, v.Err()
}

// Unpermit takes an initial access token back. What was registered with it
// stays.
func (m *Manage) Unpermit(ctx context.Context, by settle.Caller, id client.InitialID) error {
	return m.pipe.Run(ctx, withdraw, by, func(j *settle.Judgement) core.Unit {
		there := false
		for _, i := range j.Initials() {
			there = there || i.ID == id
		}
		if !j.Hold(clientFound, there) {
			return nil
		}
		return core.Unit{client.Withdraw{ID: id}}
	}, nil)
}

// A Registration is an application that registered itself, with the token by
// which it may change that, told this once.
type Registration struct {
	NewClient
	Token string
}

// Register registers an application that asks for itself (RFC 7591 section 3).
// It is marked as nobody's: people are warned where they allow it.
func (m *Manage) Register(ctx context.Context, by settle.Caller, initial string, in NewClient) (Registration, error) {
	in.ID, in.Secret = "", "" // names and secrets are given
	in.SelfRegistered = true
	r := secret.Random()
	out := Registration{NewClient: complete(in), Token: client.RegistrationPrefix + secret.Encode(r[:])}
	known := m.sectors(ctx, out.Client)
	err := m.pipe.Run(ctx, register, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(client.RegistrationOpen, m.policy.Registration != client.RegisterOff) {
			return nil
		}
		var unit core.Unit
		token := client.Initial{}
		if initial != "" {
			token = j.Initial(client.RegistrationHash(initial))
		}
		permitted := token.Good(j.Now)
		wait := time.Duration(0)
		if !permitted {
			var pay []risk.Pay
			pay, wait = risk.Afford(j, "registrations", risk.Network(by.Addr).String(), j.Now, m.policy.Scale, registrations)
			for _, p := range pay {
				unit = append(unit, p)
			}
		}
		if !j.Hold(client.RegistrationCalm, wait == 0, check.Wait(wait)) ||
			!j.Hold(client.RegistrationPermitted, permitted || m.policy.Registration == client.RegisterOpen && initial == "") {
			return nil
		}
		if permitted {
			unit = append(unit, client.Use{ID: token.ID, Now: j.Now})
		}
		word, good := m.strange(j, out.NewClient)
		if good && !known(out.Client) {
			word, good = client.WordSector, false
		}
		if !j.Hold(client.RegistrationRedirect, word != client.WordRedirect, check.As(word)) || !j.Hold(client.RegistrationMetadata, good, check.As(word)) ||
			!j.Hold(client.IDFree, m.free(j, []NewClient{out.NewClient})) {
			return nil
		}
		out.Created, j.Client = j.Now, out.ID
		unit = append(unit, revocation.Next{}, m.event(revocation.Name{Unit: revocation.Changed, ID: out.ID}, j.Now),
			client.Entrust{Client: out.ID, Hash: client.RegistrationHash(out.Token), Created: j.Now})
		return append(unit, creation(out.Client)...)
	}, nil)
	if err != nil {
		return Registration{}, err
	}
	m.needs(ctx, out.Client)
	return out, nil
}

// strange judges what an application that nobody here knows is registered with.
func (m *Manage) strange(j *settle.Judgement, c NewClient) (check.Word, bool) {
	if word, ok := m.metadata([]NewClient{c}); !ok {
		return word, false
	}
	var offered []string
	for _, s := range j.Scopes() {
		offered = append(offered, s.Name)
	}
	return c.Modest(offered)
}

// Registered is the application whose registration access token is shown (RFC
// 7592 section 2.1).
func (m *Manage) Registered(ctx context.Context, id, token string) (client.Client, error) {
	j := &settle.Judgement{View: m.pipe.Store.View(ctx), Trail: reregister.Begin(), Now: m.pipe.Now()}
	var c client.Client
	kept := [32]byte{}
	if client.ValidID(id) {
		c, kept = j.View.Client(id), j.Registration(id)
	}
	hash := client.RegistrationHash(token)
	j.Hold(client.RegistrationOwn, c.Exists() && kept != [32]byte{} && secret.Equal(hash[:], kept[:]))
	if err := j.Err(); err != nil {
		return client.Client{}, err
	}
	_, err := j.Close()
	return c, err
}

// Reregister changes an application as it asks itself (RFC 7592 section 2.2):
// it says everything anew, and what a stranger may have bounds it still.
func (m *Manage) Reregister(ctx context.Context, by settle.Caller, id, token string, next NewClient) (made string, err error) {
	if _, err := m.Registered(ctx, id, token); err != nil {
		return "", err
	}
	made, _, err = m.EditClient(ctx, by, id, nil, func(old client.Client) (client.Client, bool) {
		c := complete(NewClient{Client: next.Client}).Client
		c.ID, c.FirstParty, c.SelfRegistered = old.ID, old.FirstParty, old.SelfRegistered
		c.Secret, c.Former, c.Paused, c.Guard, c.Cut, c.Created, c.Deleted = old.Secret, old.Former, old.Paused, old.Guard, old.Cut, old.Created, old.Deleted
		_, modest := c.Modest(old.Scopes)
		return c, modest && next.ID == old.ID
	})
	return made, err
}

// Deregister takes an application away as it asks itself (RFC 7592 section
// 2.3).
func (m *Manage) Deregister(ctx context.Context, by settle.Caller, id, token string) error {
	if _, err := m.Registered(ctx, id, token); err != nil {
		return err
	}
	return m.DeleteClient(ctx, by, id)
}
