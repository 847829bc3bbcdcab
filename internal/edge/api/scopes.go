package api

import (
	"net/http"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

type scopeIn struct {
	Says     string `json:"says" says:"What people read after: It will be able to."`
	Optional bool   `json:"optional,omitzero" says:"People may allow the rest without it."`
}

type scopeOut struct {
	Scope    string   `json:"scope"`
	Says     string   `json:"says,omitzero" says:"The operator's words; left out where nobody gave any."`
	Optional bool     `json:"optional"`
	BuiltIn  bool     `json:"built_in" says:"Every deployment has words for it."`
	Clients  []string `json:"clients,omitempty" says:"The applications that may ask for it."`
}

type scopePage struct {
	Scopes []scopeOut `json:"scopes"`
}

func scopeJSON(s client.Scope, clients []string) scopeOut {
	return scopeOut{s.Name, s.Says, s.Optional, s.BuiltIn(), clients}
}

func (m *Manage) scopes(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	all, err := m.Manage.Scopes(r.Context())
	if err != nil {
		return err
	}
	out := scopePage{make([]scopeOut, len(all))}
	for i, s := range all {
		out.Scopes[i] = scopeJSON(s.Scope, s.Clients)
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}

func (m *Manage) describeScope(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in scopeIn
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	s, err := m.Manage.DescribeScope(r.Context(), by, client.Scope{Name: r.PathValue("scope"), Says: in.Says, Optional: in.Optional})
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, scopeJSON(s, nil))
	return nil
}

func (m *Manage) undescribeScope(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	name := r.PathValue("scope")
	if err := m.Manage.UndescribeScope(r.Context(), by, name); err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, scopeJSON(client.Scope{Name: name}, nil))
	return nil
}
