package storetest

import (
	"fmt"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
)

// secret is one that this world's application shares.
func (w world) secret(number int) client.AddSecret {
	return client.AddSecret{Client: w.app, Number: number, KID: fmt.Sprintf("hs-%s-%d", w.app, number), Alg: jose.HS256, Sealed: []byte{0, 0xff, byte(number)}, Created: at}
}

// shares is how a secret is read.
func shares(a client.AddSecret) client.SharedSecret { return client.SharedSecret(a) }

func (w world) shared(v core.View) any {
	return []any{v.Secrets(w.app), v.Secrets("nobody"), v.SecretOf(w.secret(1).KID), v.Client(w.app).SharedAlg}
}

var sharedLines = []line{
	{client.SetShared{}, func(w world) steps {
		of := client.SetShared{ID: w.app, Alg: jose.HS512}
		return steps{
			given: core.Unit{w.application(w.app)},
			unit:  core.Unit{of},
			read:  func(v core.View) any { return []any{v.Client(w.app).SharedAlg, v.Client(w.app).Guard} },
			want:  []any{jose.HS512, uint64(1)},
			lost: []core.Unit{
				{of}, // judged before the first
				{client.SetShared{ID: w.app, Guard: 7}},
				{client.SetShared{ID: "nobody"}},
			}}
	}},
	{client.AddSecret{}, func(w world) steps {
		return steps{
			given: core.Unit{w.application(w.app)},
			unit:  core.Unit{w.secret(1), w.secret(2)},
			read:  w.shared,
			want:  []any{[]client.SharedSecret{shares(w.secret(1)), shares(w.secret(2))}, []client.SharedSecret(nil), shares(w.secret(1)), jose.SharedAlg("")},
			lost: []core.Unit{
				{with(w.secret(1), func(a *client.AddSecret) { a.KID = "other" })}, // its number is taken
				{with(w.secret(1), func(a *client.AddSecret) { a.Number = 3 })},    // its id is
				{with(w.secret(3), func(a *client.AddSecret) { a.Client = "nobody" })},
			}}
	}},
	{client.DropSecrets{}, func(w world) steps {
		others := with(w.secret(1), func(a *client.AddSecret) { a.Client, a.KID = w.app+"-2", a.KID+"-2" })
		return steps{
			given: core.Unit{w.application(w.app), w.application(w.app + "-2"), w.secret(1), w.secret(2), w.secret(3), others},
			unit:  core.Unit{client.DropSecrets{Client: w.app, Last: 2}},
			read:  func(v core.View) any { return []any{v.Secrets(w.app), v.Secrets(w.app + "-2")} },
			want:  []any{[]client.SharedSecret{shares(w.secret(3))}, []client.SharedSecret{shares(others)}},
			still: []core.Unit{{client.DropSecrets{Client: w.app, Last: 2}}, {client.DropSecrets{Client: "nobody", Last: 9}}}}
	}},
}
