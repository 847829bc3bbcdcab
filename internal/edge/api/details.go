package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

type detailTypeIn struct {
	Schema jsontext.Value `json:"schema" says:"The JSON Schema that each detail of the type fits; it points to nothing elsewhere."`
	Says   string         `json:"says" says:"What people read of a detail: {amount.value} stands for a member."`
}

type detailTypeOut struct {
	Type   string         `json:"type"`
	Schema jsontext.Value `json:"schema,omitzero"`
	Says   string         `json:"says,omitzero"`
}

type detailTypePage struct {
	Types []detailTypeOut `json:"authorization_details_types"`
}

func (m *Manage) detailTypes(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	all, err := m.Manage.DetailTypes(r.Context())
	if err != nil {
		return err
	}
	out := detailTypePage{make([]detailTypeOut, len(all))}
	for i, t := range all {
		out.Types[i] = detailTypeOut{t.Name, jsontext.Value(t.Schema), t.Says}
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}

func (m *Manage) declareDetails(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in detailTypeIn
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	t, err := m.Manage.DeclareDetails(r.Context(), by, client.DetailType{Name: r.PathValue("type"), Schema: string(in.Schema), Says: in.Says})
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, detailTypeOut{t.Name, jsontext.Value(t.Schema), t.Says})
	return nil
}

func (m *Manage) undeclareDetails(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	name := r.PathValue("type")
	if err := m.Manage.UndeclareDetails(r.Context(), by, name); err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, detailTypeOut{Type: name})
	return nil
}
