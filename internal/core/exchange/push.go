package exchange

import (
	"context"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

var push = check.Declare(365, "client.push", slices.Concat([]*check.Check{risk.NetworkCalm, clientCalm, client.Authentic, client.Standing, clientPace}, askable, []*check.Check{client.RequestCarried, token.ProofUnspent})...).Often()

// What one client may push, and one network: 50 and 10 a second (security
// defaults 3.4).
var (
	pushPace    = []risk.Budget{{Count: 500, Per: 10 * time.Second}}
	pushNetwork = []risk.Budget{{Count: 100, Per: 10 * time.Second}}
)

// Push keeps an authorization request that an application gives to the server
// itself, judged as when a browser brings it, but for its person (RFC 9126). It
// gives the request_uri that a browser may bring within token.PushedFor.
func (x *Exchanges) Push(ctx context.Context, by settle.Caller, proof ClientProof, r client.Request) (string, error) {
	wait := x.meters.Take("push", risk.Network(by.Addr).String(), x.pipe.Now(), pushNetwork)
	p := x.proving(ctx, by, proof, true)
	r.Client = p.proof.ID
	if r.URI != "" {
		r.Trouble = client.RequestForm // section 2.1
	} else {
		var err error
		if r, err = x.Receive(ctx, r); err != nil {
			return "", err
		}
	}
	// A proof that comes along is of the key that the code is to be bound to (RFC
	// 9449 section 10.1).
	if key := proof.Key; key.Exists() {
		if r.Key != "" && r.Key != key.JKT {
			return "", check.Refuse(token.ProofThumbprint)
		}
		r.Key = key.JKT
	}
	random := secret.Random()
	err := x.pipe.Run(ctx, push, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(risk.NetworkCalm, wait == 0, check.Wait(wait)) {
			return nil
		}
		c, ok := p.hold(j, "push", pushPace)
		if !ok {
			return nil
		}
		asked := r
		asked.Pushed = random[:]
		if _, ok := x.asks(j, c, asked); !ok {
			return nil
		}
		body, err := json.Marshal(r, json.Deterministic(true))
		if !j.Hold(client.RequestCarried, err == nil && len(body) <= pushedAtMost) {
			return nil
		}
		if !p.spendProof(j) {
			return nil
		}
		return core.Unit{token.Push{Hash: token.PushedHash(c.ID, random[:]), Client: c.ID, Body: body, Created: j.Now, Until: j.Now.Add(token.PushedFor + RequestFor)}}
	}, nil)
	if err != nil {
		return "", err
	}
	return token.NewPushedURI(random), nil
}

// pushedAtMost bounds a request that was pushed, in bytes.
const pushedAtMost = 16 << 10

// pushed finds the request that a request_uri names: one that this application
// pushed within the last moments. It can be opened several times, and answered
// once (FAPI 2.0 section 5.3.2.2 note 3). Nobody's address is fetched.
func (x *Exchanges) pushed(ctx context.Context, r client.Request, now time.Time) (client.Request, error) {
	random, ours := token.ParsePushedURI(r.URI)
	if !ours {
		r.Trouble = client.RequestURI
		return r, nil
	}
	out, row, err := x.recall(ctx, r.Client, random)
	if err != nil || !row.Exists() || !now.Before(row.Created.Add(token.PushedFor)) {
		r.Trouble = client.RequestPushed
		return r, err
	}
	out.Asked = r.Asked
	return out, nil
}

// Recall reads a request that waits for its person from where it is kept, when
// that is here. Nothing waits any more when it is gone.
func (x *Exchanges) Recall(ctx context.Context, r client.Request) (client.Request, bool, error) {
	if len(r.Pushed) == 0 {
		return r, true, nil
	}
	out, row, err := x.recall(ctx, r.Client, r.Pushed)
	if err != nil || !row.Exists() || !x.pipe.Now().Before(row.Until) {
		return r, false, err
	}
	out.Asked, out.Chosen, out.Refused = r.Asked, r.Chosen, r.Refused
	return out, true, nil
}

func (x *Exchanges) recall(ctx context.Context, clientID string, random []byte) (out client.Request, row token.Pushed, err error) {
	v := x.pipe.Store.View(ctx)
	row = v.Pushed(token.PushedHash(clientID, random))
	if err := v.Err(); err != nil || !row.Exists() {
		return out, row, err
	}
	err = json.Unmarshal(row.Body, &out)
	out.Pushed, out.ID = random, random
	return out, row, err
}
