package storetest

import (
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
)

// proving is this world's application with a secret.
func (w world) proving() client.Create {
	return with(w.application(w.app), func(c *client.Create) {
		c.Auth, c.SecretHash = "client_secret_basic", w.hash(50)
		c.Origins, c.Scopes = []string{w.origin("a")}, []string{"openid"}
	})
}

func (w world) proved() client.Client {
	return client.Client{ID: w.app, Name: w.app, Type: "web", Auth: "client_secret_basic", Secret: client.Secret{Hash: w.hash(50), Made: at}, Created: at,
		Origins: []string{w.origin("a")}, Scopes: []string{"openid"}}
}

func (w world) appOf(v core.View) any { return v.Client(w.app) }

var clientLifeLines = []line{
	{client.Edit{}, func(w world) steps {
		of := client.Edit{ID: w.app, Guard: 0, Name: "Notes", FirstParty: true, Auth: "client_secret_post", RedirectURIs: []string{"https://a.example/"}, PostLogout: []string{"https://b.example/"},
			Origins: []string{"https://c.example"}, Resources: []string{"notes"}, Scopes: []string{"notes:read"}, Grants: []string{"refresh_token"}, TokenFormat: client.Opaque,
			Settings: client.Settings{PKCE: client.PKCEOptional}}
		return steps{
			given: core.Unit{w.proving()},
			unit:  core.Unit{of},
			read:  w.appOf,
			want: with(w.proved(), func(c *client.Client) {
				c.Name, c.FirstParty, c.Auth, c.RedirectURIs, c.PostLogout, c.Origins = of.Name, true, of.Auth, of.RedirectURIs, of.PostLogout, of.Origins
				c.Resources, c.Scopes, c.Grants, c.TokenFormat, c.Settings, c.Guard = of.Resources, of.Scopes, of.Grants, of.TokenFormat, of.Settings, 1
			}),
			lost: []core.Unit{
				{of}, // judged before the first
				{with(of, func(e *client.Edit) { e.ID = "nobody" })},
				append(revoking(client.Delete{ID: w.app, Guard: 1, At: at}), with(of, func(e *client.Edit) { e.Guard = 2 })),
			}}
	}},
	{client.Resecret{}, func(w world) steps {
		of := client.Resecret{ID: w.app, Guard: 0, Hash: w.hash(51), Made: at.Add(time.Hour), Until: at.Add(2 * time.Hour)}
		return steps{
			given: core.Unit{w.proving(), client.Used{ID: w.app, Hash: w.hash(50), At: at.Add(time.Minute)}},
			unit:  core.Unit{of},
			read:  w.appOf,
			want: with(w.proved(), func(c *client.Client) {
				c.Former = client.Secret{Hash: w.hash(50), Made: at, Used: at.Add(time.Minute), Until: of.Until}
				c.Secret, c.Guard = client.Secret{Hash: of.Hash, Made: of.Made}, 1
			}),
			lost: []core.Unit{
				{of}, // two rotations at once: one of them
				{with(of, func(r *client.Resecret) { r.ID = "nobody" })},
			}}
	}},
	{client.Reprove{}, func(w world) steps {
		return steps{
			given: core.Unit{w.proving(), client.Resecret{ID: w.app, Hash: w.hash(51), Made: at, Until: at.Add(time.Hour)}},
			unit:  core.Unit{client.Reprove{ID: w.app}},
			read:  w.appOf,
			want:  with(w.proved(), func(c *client.Client) { c.Secret, c.Guard, c.Former.Made = client.Secret{}, 1, at }),
			lost:  []core.Unit{{client.Reprove{ID: "nobody", Hash: w.hash(52), Made: at}}}}
	}},
	{client.Retire{}, func(w world) steps {
		of := client.Retire{ID: w.app, Guard: 1, At: at.Add(time.Minute)}
		return steps{
			given: core.Unit{w.proving(), client.Resecret{ID: w.app, Hash: w.hash(51), Made: at, Until: at.Add(time.Hour)}},
			unit:  core.Unit{of},
			read:  func(v core.View) any { c := v.Client(w.app); return []any{c.Former.Until, c.Guard} },
			want:  []any{of.At, uint64(2)},
			lost: []core.Unit{
				{of},
				{with(of, func(r *client.Retire) { r.Guard = 2 })}, // over already
				{with(of, func(r *client.Retire) { r.ID = "nobody" })},
			}}
	}},
	{client.Used{}, func(w world) steps {
		use := func(hash byte, after time.Duration) client.Used {
			return client.Used{ID: w.app, Hash: w.hash(hash), At: at.Add(after)}
		}
		return steps{
			given: core.Unit{w.proving(), client.Resecret{ID: w.app, Hash: w.hash(51), Made: at, Until: at.Add(time.Hour)}},
			unit:  core.Unit{use(50, time.Minute), use(51, time.Second)},
			read:  func(v core.View) any { c := v.Client(w.app); return []time.Time{c.Secret.Used, c.Former.Used} },
			want:  []time.Time{at.Add(time.Second), at.Add(time.Minute)},
			still: []core.Unit{{use(50, time.Second)}, {use(51, 0)}, {use(52, time.Hour)}, {client.Used{ID: "nobody", Hash: w.hash(50), At: at}}}}
	}},
	{client.Trim{}, func(w world) steps {
		return steps{
			given: core.Unit{w.proving()},
			unit:  revoking(client.Trim{ID: w.app}),
			read:  func(v core.View) any { c := v.Client(w.app); return []uint64{c.Trimmed, c.Cut, v.Cut()} },
			want:  []uint64{w.base + 1, 0, w.base + 1}, // who judged before, judges again
			lost:  []core.Unit{revoking(client.Trim{ID: "nobody"})}}
	}},
	{client.Pause{}, func(w world) steps {
		return steps{
			given: core.Unit{w.proving(), client.Page{Origin: w.origin("a"), Client: w.app}},
			unit:  revoking(client.Pause{ID: w.app}),
			read: func(v core.View) any {
				c := v.Client(w.app)
				return []any{c.Paused, c.Guard, c.Cut, v.HasPages(w.origin("a"))}
			},
			want: []any{true, uint64(1), w.base + 1, false},
			lost: []core.Unit{
				revoking(client.Pause{ID: w.app}),
				revoking(client.Pause{ID: w.app, Guard: 1}), // is paused
				revoking(client.Pause{ID: "nobody"}),
			}}
	}},
	{client.Resume{}, func(w world) steps {
		return steps{
			given: append(core.Unit{w.proving()}, revoking(client.Pause{ID: w.app})...),
			unit:  core.Unit{client.Resume{ID: w.app, Guard: 1}},
			read:  func(v core.View) any { c := v.Client(w.app); return []any{c.Paused, c.Guard, c.Cut} },
			want:  []any{false, uint64(2), w.base + 1}, // what ended stays ended
			lost:  []core.Unit{{client.Resume{ID: w.app, Guard: 1}}, {client.Resume{ID: w.app, Guard: 2}}, {client.Resume{ID: "nobody"}}}}
	}},
	{client.Delete{}, func(w world) steps {
		of := client.Delete{ID: w.app, At: at.Add(time.Hour)}
		return steps{
			given: append(w.people(), w.proving(), client.Page{Origin: w.origin("a"), Client: w.app}, w.allow()),
			unit:  revoking(of),
			read: func(v core.View) any {
				return []any{v.Client(w.app), v.HasPages(w.origin("a")), len(v.Consents(w.ana))}
			},
			// Its name stays for who reads what happened.
			want: []any{client.Client{ID: w.app, Name: w.app, Type: "web", Auth: "client_secret_basic", Secret: client.Secret{Made: at}, Guard: 1, Cut: w.base + 1, Created: at, Deleted: of.At}, false, 0},
			lost: []core.Unit{
				revoking(of),
				revoking(with(of, func(d *client.Delete) { d.Guard = 1 })), // is gone
				revoking(client.Delete{ID: "nobody"}),
			}}
	}},
	{client.Unclaim{}, func(w world) steps {
		return steps{
			given: core.Unit{w.application(w.app), w.application(w.app + "-b"), client.Claim{Origin: w.origin("a"), Client: w.app}, client.Claim{Origin: w.origin("b"), Client: w.app + "-b"}},
			unit:  core.Unit{client.Unclaim{Client: w.app}},
			read:  func(v core.View) any { return []string{v.ClientOf(w.origin("a")).ID, v.ClientOf(w.origin("b")).ID} },
			want:  []string{"", w.app + "-b"},
			still: []core.Unit{{client.Unclaim{Client: w.app}}, {client.Unclaim{Client: "nobody"}}}}
	}},
	{client.Page{}, func(w world) steps {
		of := client.Page{Origin: w.origin("a"), Client: w.app}
		return steps{
			given: core.Unit{w.application(w.app), w.application(w.app + "-b")},
			unit:  core.Unit{of},
			read:  func(v core.View) any { return []bool{v.HasPages(w.origin("a")), v.HasPages(w.origin("b"))} },
			want:  []bool{true, false},
			lost:  []core.Unit{{client.Page{Origin: w.origin("b"), Client: "nobody"}}},
			still: []core.Unit{{of}, {with(of, func(p *client.Page) { p.Client = w.app + "-b" })}}} // several may share it
	}},
	{client.Unpage{}, func(w world) steps {
		return steps{
			given: core.Unit{w.application(w.app), w.application(w.app + "-b"), client.Page{Origin: w.origin("a"), Client: w.app}, client.Page{Origin: w.origin("b"), Client: w.app},
				client.Page{Origin: w.origin("b"), Client: w.app + "-b"}},
			unit:  core.Unit{client.Unpage{Client: w.app}},
			read:  func(v core.View) any { return []bool{v.HasPages(w.origin("a")), v.HasPages(w.origin("b"))} },
			want:  []bool{false, true},
			still: []core.Unit{{client.Unpage{Client: w.app}}, {client.Unpage{Client: "nobody"}}}}
	}},
}
