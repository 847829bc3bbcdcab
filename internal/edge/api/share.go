package api

import (
	"net/http"

	"github.com/doorward/doorward/internal/base/jose"
	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

type sharing struct {
	Alg         string `json:"alg" says:"HS256, HS384 or HS512."`
	Secret      string `json:"secret,omitzero" says:"Random bytes in base64url, as many as the hash has at least; left out, they are made here."`
	Compromised bool   `json:"compromised,omitzero" says:"What was shared before is in other hands: its tokens end at once."`
}

type sharedOut struct {
	Client string `json:"client_id"`
	KID    string `json:"kid"`
	Alg    string `json:"alg"`
	Secret string `json:"secret,omitzero" says:"Shown only now, and not where it was brought."`
}

func (m *Manage) shareSecret(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in sharing
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	given, ok := secret.Decode(in.Secret)
	if in.Secret != "" && !ok {
		return check.Refuse(door.Body)
	}
	id := r.PathValue("client")
	made, err := m.Manage.ShareSecret(r.Context(), by, id, manage.Sharing{Alg: jose.SharedAlg(in.Alg), Secret: given, Compromised: in.Compromised})
	if err != nil {
		return err
	}
	out := sharedOut{Client: id, KID: made.KID, Alg: string(made.Alg)}
	if len(made.Secret) > 0 {
		out.Secret = secret.Encode(made.Secret)
	}
	door.WriteJSON(w, "application/json", http.StatusCreated, out)
	return nil
}

func (m *Manage) unshareSecret(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	id := r.PathValue("client")
	if err := m.Manage.UnshareSecret(r.Context(), by, id); err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, clientEnded{id})
	return nil
}
