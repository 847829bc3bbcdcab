package api

import (
	"net/http"
	"time"

	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

type federationIn struct {
	Client      string `json:"client_id"`
	Issuer      string `json:"issuer"`
	client.Rule `json:",inline"`
}

type federationOut struct {
	ID           string `json:"id" says:"It is the grant_id of the tokens that it gives."`
	federationIn `json:",inline"`
	Created      time.Time `json:"created"`
}

type federationPage struct {
	Federations []federationOut `json:"federations"`
}

func federationJSON(f client.Federation) federationOut {
	return federationOut{f.ID.String(), federationIn{f.Client, f.Issuer, f.Rule}, f.Created}
}

func (m *Manage) federations(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	all, err := m.Manage.Federations(r.Context())
	if err != nil {
		return err
	}
	out := federationPage{make([]federationOut, len(all))}
	for i, f := range all {
		out.Federations[i] = federationJSON(f)
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}

func (m *Manage) federate(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in federationIn
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	f, err := m.Manage.Federate(r.Context(), by, client.Federation{Client: in.Client, Issuer: in.Issuer, Rule: in.Rule})
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusCreated, federationJSON(f))
	return nil
}

func (m *Manage) unfederate(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	id, _ := client.ParseGrantID(r.PathValue("federation"))
	f, err := m.Manage.Unfederate(r.Context(), by, id)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, federationJSON(f))
	return nil
}
