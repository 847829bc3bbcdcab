package exchange

import (
	"context"
	"errors"
	"mime"
	"reflect"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/settle"
)

var adopt = check.Declare(399, "client.adopt", client.DocumentRead, client.DocumentModest, client.RegistrationCalm)

// adoptions is how many applications one network may have made known by their
// documents: each is a row for good.
var adoptions = []risk.Budget{{Count: 20, Per: time.Hour}}

// A library reads documents that others published, within bounds and for a
// while from memory.
type library interface {
	Document(ctx context.Context, address string) (body []byte, media string, err error)
}

// adopt makes an application known whose id is the address of a document that
// describes it, and keeps up with what the document says, until an operator
// vouches for it: then what the operator says stands. Where that is switched
// off, such an id is nobody's.
func (x *Exchanges) adopt(ctx context.Context, by settle.Caller, id string) error {
	if x.policy.Documents == nil || !client.DocumentID(id) {
		return nil
	}
	if known := x.pipe.Store.View(ctx).Client(id); known.Exists() && !known.SelfRegistered {
		return nil
	}
	raw, media, err := x.policy.Documents.Document(ctx, id)
	kind, _, _ := mime.ParseMediaType(media)
	next, word, read := client.ReadDocument(raw, id)
	read = read && err == nil && (kind == "application/json" || kind == "application/client-id-metadata+json")
	if ctx.Err() != nil {
		return errors.Join(core.ErrUnavailable, ctx.Err())
	}
	var offered []string
	v := x.pipe.Store.View(ctx)
	old := v.Client(id)
	for _, s := range v.Scopes() {
		offered = append(offered, s.Name)
	}
	if err := v.Err(); err != nil {
		return err
	}
	modest := false
	if read {
		if word, modest = next.Valid(false); modest {
			word, modest = next.Modest(offered)
		}
	}
	if read && modest && old.ID != "" && (!old.Exists() || described(old) == described(next) && reflect.DeepEqual(old.RedirectURIs, next.RedirectURIs) &&
		reflect.DeepEqual(old.Scopes, next.Scopes) && reflect.DeepEqual(old.Settings, next.Settings)) {
		return nil // nothing new; one that an operator deleted stays deleted
	}
	return x.pipe.Run(ctx, adopt, by, func(j *settle.Judgement) core.Unit {
		if !j.Hold(client.DocumentRead, read, check.As(word)) || !j.Hold(client.DocumentModest, modest, check.As(word)) {
			return nil
		}
		j.Client = id
		old := j.View.Client(id)
		var pay []risk.Pay
		wait := time.Duration(0)
		if old.ID == "" {
			pay, wait = risk.Afford(j, "documents", risk.Network(by.Addr).String(), j.Now, x.policy.Scale, adoptions)
		}
		if !j.Hold(client.RegistrationCalm, wait == 0, check.Wait(wait)) || old.Exists() && !old.SelfRegistered {
			return nil
		}
		unit := core.Unit{revocation.Next{}, x.event(revocation.Name{Unit: revocation.Changed, ID: id}, j.Now), client.Unpage{Client: id}}
		if old.ID == "" {
			unit = append(unit, client.Create{ID: id, Name: next.Name, Type: next.Type, Auth: next.Auth, RedirectURIs: next.RedirectURIs, PostLogout: next.PostLogout,
				Scopes: next.Scopes, Grants: next.Grants, Created: j.Now, TokenFormat: next.TokenFormat, Settings: next.Settings})
		} else {
			unit = append(unit, client.Edit{ID: id, Guard: old.Guard, Name: next.Name, Auth: next.Auth, RedirectURIs: next.RedirectURIs, PostLogout: next.PostLogout,
				Scopes: next.Scopes, Grants: next.Grants, TokenFormat: next.TokenFormat, Settings: next.Settings},
				// What it may no longer have is in its access tokens; it gets others by
				// refreshing. One that need not prove itself any more begins anew.
				client.Trim{ID: id}, x.event(revocation.Name{Unit: revocation.Client, ID: id}, j.Now))
			if old.Confidential() && next.Auth == client.AuthNone {
				unit = append(unit, client.Cut{ID: id})
			}
		}
		for _, p := range pay {
			unit = append(unit, p)
		}
		for _, o := range next.PageOrigins() {
			unit = append(unit, client.Page{Origin: o, Client: id})
		}
		return unit
	}, nil)
}

// described is what a document says in single words.
func described(c client.Client) [3]string { return [3]string{c.Name, c.Type, c.Auth} }
