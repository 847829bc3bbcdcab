package manage

import (
	"context"
	"errors"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
)

// A library reads documents that others published.
type library interface {
	Document(ctx context.Context, address string) (body []byte, media string, err error)
}

// sectors reads the lists that speak for the sectors of applications, and says
// which application each of them knows: every address that it goes back to is
// listed (OpenID Connect Core section 8.1). An application that names no list
// needs none.
func (m *Manage) sectors(ctx context.Context, of ...client.Client) (knows func(client.Client) bool) {
	lists := map[string][]string{}
	for _, c := range of {
		if _, read := lists[c.SectorURI]; read || !client.WebAddress(c.SectorURI) || m.policy.Documents == nil {
			continue
		}
		var list []string
		if raw, _, err := m.policy.Documents.Document(ctx, c.SectorURI); err == nil && json.Unmarshal(raw, &list) != nil {
			list = nil
		}
		lists[c.SectorURI] = list
	}
	return func(c client.Client) bool {
		return c.SectorURI == "" || len(c.RedirectURIs) > 0 && !slices.ContainsFunc(c.RedirectURIs, func(s string) bool { return !slices.Contains(lists[c.SectorURI], s) })
	}
}

func clientsOf(made []NewClient) []client.Client {
	out := make([]client.Client, len(made))
	for i, c := range made {
		out[i] = c.Client
	}
	return out
}

// refused says whether an error is a check that failed.
func refused(err error) bool {
	var refusal *check.Refusal
	return errors.As(err, &refusal)
}
