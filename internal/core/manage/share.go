package manage

import (
	"context"
	"fmt"
	"time"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/settle"
)

var (
	shareSecret   = check.Declare(310, "client.share", clientFound, client.MayShare, client.SecretStrong)
	unshareSecret = check.Declare(311, "client.unshare", clientFound, client.Sharing)
)

// A Sharing is what an application's service is to share.
type Sharing struct {
	Alg         jose.SharedAlg
	Secret      []byte // brought by the operator; empty: made here
	Compromised bool   // what was shared before is in other hands: its tokens die now
}

// Shared is a secret for the only time it can be read.
type Shared struct {
	KID    string
	Alg    jose.SharedAlg
	Secret []byte // empty when the operator brought it
}

// sharedAtMost bounds a secret that an operator brings, in bytes.
const sharedAtMost = 128

// ShareSecret lets an application's access tokens be signed by a secret that its
// one service shares, or by another one from now on. What was signed by the one
// before is known for as long as it lives.
func (m *Manage) ShareSecret(ctx context.Context, by settle.Caller, id string, in Sharing) (Shared, error) {
	ring := m.keys.Follow.Keys
	ring.WantSharing()
	if len(ring.Wanted()) > 0 {
		if err := m.TurnKeys(ctx); err != nil {
			return Shared{}, err
		}
	}
	sealer := ring.Ring().Sharing
	if sealer == nil {
		return Shared{}, fmt.Errorf("manage: %w: there is no key of shared secrets yet", core.ErrUnavailable)
	}
	size := in.Alg.Size()
	plain := in.Secret
	out := Shared{KID: client.NewSecretID(secret.Random16()), Alg: in.Alg}
	if len(plain) == 0 {
		for len(plain) < size {
			r := secret.Random()
			plain = append(plain, r[:]...)
		}
		plain = plain[:size]
		out.Secret = plain
	}
	strong := size > 0 && len(plain) >= size && len(plain) <= sharedAtMost && client.Random(plain)
	err := m.pipe.Run(ctx, shareSecret, by, func(j *settle.Judgement) core.Unit {
		c, ok := m.found(j, id)
		if !ok || !j.Hold(client.MayShare, c.Shareable(m.policy.Issuer)) || !j.Hold(client.SecretStrong, strong) {
			return nil
		}
		all := j.View.Secrets(c.ID)
		made := client.SharedSecret{Client: c.ID, Number: 1, KID: out.KID, Alg: in.Alg, Created: j.Now}
		if n := len(all); n > 0 {
			made.Number = all[n-1].Number + 1
		}
		made.Sealed = sealer.Seal(made.Place(), plain)
		u := core.Unit{revocation.Next{}, client.SetShared{ID: c.ID, Guard: c.Guard, Alg: in.Alg}, client.AddSecret(made)}
		return append(u, m.dropped(c.ID, all, m.outlived(all, j.Now, in.Compromised), j.Now)...)
	}, nil)
	if err != nil {
		return Shared{}, err
	}
	return out, nil
}

// outlived is the number up to which nothing lives that was signed by these
// secrets, now that another follows: all of them when they are in other hands.
func (m *Manage) outlived(all []client.SharedSecret, now time.Time, compromised bool) (last int) {
	for i, s := range all {
		over := compromised
		if i+1 < len(all) {
			over = over || now.After(all[i+1].Created.Add(m.policy.Token.Access+m.policy.Token.Leeway))
		}
		if over {
			last = s.Number
		}
	}
	return last
}

// dropped forgets secrets up to a number, and tells readers that tokens by them
// are worth nothing.
func (m *Manage) dropped(id string, all []client.SharedSecret, last int, now time.Time) (u core.Unit) {
	if last == 0 {
		return nil
	}
	u = append(u, client.DropSecrets{Client: id, Last: last})
	for _, s := range all {
		if s.Number <= last {
			u = append(u, m.event(revocation.Name{Unit: revocation.Key, ID: s.KID}, now))
		}
	}
	return u
}

// UnshareSecret lets an application's access tokens be signed by a key of the
// server again. Tokens by a secret die now.
func (m *Manage) UnshareSecret(ctx context.Context, by settle.Caller, id string) error {
	return m.pipe.Run(ctx, unshareSecret, by, func(j *settle.Judgement) core.Unit {
		c, ok := m.found(j, id)
		if !ok || !j.Hold(client.Sharing, c.SharedAlg != "") {
			return nil
		}
		return append(core.Unit{revocation.Next{}, client.SetShared{ID: c.ID, Guard: c.Guard}}, m.unshared(j, c.ID)...)
	}, nil)
}

// unshared forgets everything that an application shares.
func (m *Manage) unshared(j *settle.Judgement, id string) core.Unit {
	all := j.View.Secrets(id)
	last := 0
	if n := len(all); n > 0 {
		last = all[n-1].Number
	}
	return m.dropped(id, all, last, j.Now)
}
