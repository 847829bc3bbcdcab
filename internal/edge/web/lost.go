package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// lost answers a request of which no application may hear, because no address to go back to can be trusted: with a
// page here, and never with a redirect (RFC 9700 section 4.11.2; check AS-02).
func (v *visit) lost(a exchange.Authorization, r client.Request, err error) error {
	var e *check.Refusal
	if !errors.As(err, &e) {
		return err
	}
	details, err := v.details(e.Check(), a, r)
	if err != nil {
		return err
	}
	v.again = func(e *check.Refusal) (ui.Page, int) {
		page := ErrorPage{Shell: v.shell(), Check: e.Check().Shown, Ref: e.Ref, At: v.now(), Details: details}
		switch c := e.Check(); {
		case c == client.RequestClient:
			page.Refusal = AppUnknown()
		case c == client.RequestRedirect:
			page.Shell, page.Refusal = v.shellOf(a), WrongAddress(nameOf(a.Client))
			page.App.Domain = domainOf(a.Client, "") // what was sent stands for nobody
			if strings.HasPrefix(a.Client.URI, "https://") {
				page.Back = a.Client.URI
			}
		case c.Fault == fault.Malformed, c.Fault == fault.Unacceptable:
			page.Refusal = WrongRequest()
		default:
			return nil, 0
		}
		return page, http.StatusBadRequest
	}
	return e
}

// details are what the people who run an application may read of what it sent: on their own machine, and those who
// administer this server. A stranger learns nothing of what is registered.
func (v *visit) details(c *check.Check, a exchange.Authorization, r client.Request) ([]Detail, error) {
	if !v.door.Dev {
		if who, err := v.who(); err != nil || !who.User.Admin {
			return nil, err
		}
	}
	switch c {
	case client.RequestClient:
		return []Detail{{Name: "client_id sent", Value: r.Client}, {Name: "fix", Value: "doorward clients list"}}, nil
	case client.RequestRedirect:
		return RedirectDetails(a.Client.ID, a.Client.Back(r), a.Client.RedirectURIs), nil
	}
	return nil, nil
}
