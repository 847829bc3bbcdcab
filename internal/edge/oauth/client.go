package oauth

import (
	"net/http"
	"net/url"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/edge/door"
)

// clientFields are the parameters by which a client says which one it is.
var clientFields = []string{"client_id", "client_secret", "client_assertion", "client_assertion_type"}

// clientProof reads what a client shows, in one way of the registered ones and
// no second one beside it (RFC 6749 section 2.3; attack OAU-06).
func (o *OAuth) clientProof(r *http.Request, f url.Values) (exchange.ClientProof, error) {
	p, err := saidOfClient(r, f)
	if err != nil {
		return exchange.ClientProof{}, err
	}
	if o.Machines != nil && r.Host == o.Machines.Host {
		p.Alias = o.Machines.String()
	}
	p.Certificates, err = o.Door.Certificates(r)
	return p, err
}

// saidOfClient is what the request itself says, without its connection.
func saidOfClient(r *http.Request, f url.Values) (exchange.ClientProof, error) {
	id, secret, basic, err := door.BasicClient(r)
	asserts := f.Has("client_assertion") || f.Has("client_assertion_type")
	switch {
	case err != nil:
		return exchange.ClientProof{}, err
	case asserts && (basic || f.Has("client_secret") || f.Get("client_assertion") == "" || f.Get("client_assertion_type") != client.AssertionType):
		return exchange.ClientProof{}, check.Refuse(door.Body)
	case asserts:
		return exchange.ClientProof{ID: f.Get("client_id"), Assertion: f.Get("client_assertion"), Endpoint: r.URL.Path}, nil
	case !basic:
		return exchange.ClientProof{ID: f.Get("client_id"), Secret: f.Get("client_secret")}, nil
	case f.Has("client_secret") || f.Has("client_id") && f.Get("client_id") != id:
		return exchange.ClientProof{}, check.Refuse(door.Body)
	}
	return exchange.ClientProof{ID: id, Secret: secret}, nil
}

// post lets nothing but POST through: what is sent here stands in no address
// (RFC 6749 section 3.2).
func post(h door.Handler) door.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			return check.Refuse(door.Method)
		}
		return h(w, r)
	}
}
