package api

import (
	"net/http"

	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

// A Finding is one look at the server and what it stands on.
type Finding struct {
	ID    string `json:"id"`
	State string `json:"state" says:"good, warning or broken."`
	Says  string `json:"says"`
	Fix   string `json:"fix,omitzero" says:"What to do."`
}

type findings struct {
	OK       bool      `json:"ok" says:"Nothing is broken."`
	Findings []Finding `json:"findings"`
}

func (m *Manage) doctor(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	out := findings{OK: true, Findings: m.Diagnose(r.Context())}
	for _, f := range out.Findings {
		out.OK = out.OK && f.State != "broken"
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}
