package exchange

import (
	"context"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/settle"
)

var returnRegistered = check.New(check.Check{Number: 413, ID: "return.registered", Fault: fault.Denied, Shown: "return.registered",
	Says: "The page to go back to is on the origin of a first-party application.", Source: "RFC 9700 section 4.11.2",
	Title: "Nobody registered the page that you want to go back to.", Stops: []string{"OAU-07"}})

var leave = check.Declare(132, "return.leave", returnRegistered)

// Leave finds the first-party application whose page, by its origin, somebody
// may be sent back to. Nothing is written: it is part of every way back.
func (x *Exchanges) Leave(ctx context.Context, origin string) (client.Client, error) {
	rev := x.pipe.Feed.Position()
	j := &settle.Judgement{View: x.pipe.Store.View(ctx), Trail: leave.Begin(), Rev: rev, Now: x.pipe.Now()}
	var app client.Client
	if origin != "" {
		app = x.firstParty(j, origin)
	}
	j.Hold(returnRegistered, mayAsk(app))
	if err := j.Err(); err != nil {
		return client.Client{}, err
	}
	if _, err := j.Close(); err != nil {
		return client.Client{}, err
	}
	return app, nil
}
