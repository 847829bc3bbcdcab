package web

import (
	"context"
	"net/url"
	"strings"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// parting finds whose page somebody wants to go back to.
type parting interface {
	// Leave gives the first-party application of an origin, or refuses.
	Leave(ctx context.Context, origin string) (client.Client, error)
}

// showReturn leaves for an application's page; without one the way was taken already, or somebody came by hand.
func (v *visit) showReturn() error {
	q, err := door.Params(v.r, "to", "flow")
	if err != nil {
		return err
	}
	if flow := q.Get("flow"); flow != "" {
		return v.proceed(flow)
	}
	if q.Get("to") == "" {
		return v.show(ReturnPage{Shell: v.shell(), Finished: true})
	}
	origin, address, ok := leaveFor(q.Get("to"))
	if !ok {
		return v.seeOther(home)
	}
	if origin == v.own() {
		return v.seeOther(v.destination(url.Values{"return_to": {address}}))
	}
	app, err := v.exchange.Leave(v.ctx(), origin)
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(leaving(address), err)
	}
	shell := v.shell()
	_, domain, _ := strings.Cut(origin, "://")
	shell.App = &ui.App{Name: app.Name, Domain: domain}
	return v.show(ReturnPage{Shell: shell, To: address})
}
