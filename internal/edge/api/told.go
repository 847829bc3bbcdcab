package api

import (
	"net/url"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/core/ledger"
)

// exchangeOut is a ledger entry as people read it: what ran, how it ended.
type exchangeOut struct {
	ID       string     `json:"id"`
	At       time.Time  `json:"at"`
	Exchange string     `json:"exchange"`
	Outcome  string     `json:"outcome"`
	Ref      string     `json:"ref,omitzero"`
	Checks   []checkOut `json:"checks"`
}

type checkOut struct {
	ID     string `json:"id"`
	OK     bool   `json:"ok"`
	Says   string `json:"says"`
	Detail string `json:"detail,omitzero"`
}

// told puts entries into words, those after an id when one is asked for.
func told(entries []ledger.Entry, q url.Values) []exchangeOut {
	after, _ := ledger.ParseID(q.Get("after"))
	out := make([]exchangeOut, 0, len(entries))
	for _, e := range entries {
		if string(e.ID[:]) <= string(after[:]) {
			continue
		}
		o := exchangeOut{ID: e.ID.String(), At: e.At, Outcome: "passed", Ref: e.Ref, Exchange: "unknown", Checks: make([]checkOut, 0, len(e.Steps))}
		if e.Exchange != nil {
			o.Exchange = e.Exchange.Name
		}
		if e.Refused {
			o.Outcome = "refused"
		}
		for _, s := range e.Steps {
			var details []string
			for _, d := range s.Details {
				// What a passed check measured is of no interest to anybody.
				if text := d.String(); text != "" && !s.Held {
					details = append(details, text)
				}
			}
			o.Checks = append(o.Checks, checkOut{s.Check.ID, s.Held, s.Check.Says, strings.Join(details, ", ")})
		}
		out = append(out, o)
	}
	return out
}
