package api

import (
	"net/http"
	"time"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

// managedKey is a key for operators: nothing of it but its names and times.
type managedKey struct {
	Purpose     string    `json:"purpose"`
	KID         string    `json:"kid"`
	Alg         string    `json:"alg"`
	State       string    `json:"state"`
	Created     time.Time `json:"created"`
	Since       time.Time `json:"since"`
	Until       time.Time `json:"until,omitzero"`
	Compromised time.Time `json:"compromised,omitzero"`
	Erased      bool      `json:"erased,omitzero"` // the private part is gone
}

type keyPage struct {
	Keys []managedKey `json:"keys"`
}

type rotation struct {
	Purpose string `json:"purpose"` // signing, signing-rs256 and its kind, refresh, opaque, mail or ledger
	Now     bool   `json:"now,omitzero"`
}

type retirement struct {
	KID         string `json:"kid"`
	Compromised bool   `json:"compromised,omitzero"`
}

type resealed struct {
	Resealed int `json:"resealed"`
}

func (m *Manage) keys(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	all, err := m.Manage.Keys(r.Context())
	if err != nil {
		return err
	}
	out := make([]managedKey, len(all))
	for i, k := range all {
		if k.State == key.Compromised {
			k.Until = k.Compromised // whatever happens to it later, nobody believes it
		}
		out[i] = managedKey{k.Purpose.String(), k.KID, k.Alg, k.State.String(), k.Created, k.Since, k.Until, k.Compromised, k.Erased()}
	}
	door.WriteJSON(w, "application/json", http.StatusOK, keyPage{out})
	return nil
}

func (m *Manage) rotateKey(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in rotation
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	of, ok := key.ParsePurpose(in.Purpose)
	if !ok {
		return check.Refuse(door.Body)
	}
	if err := m.Manage.RotateKey(r.Context(), by, of, in.Now); err != nil {
		return err
	}
	return m.keys(w, r, by)
}

func (m *Manage) retireKey(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	var in retirement
	if err := door.JSON(w, r, &in); err != nil {
		return err
	}
	if in.KID == "" {
		return check.Refuse(door.Body)
	}
	if err := m.Manage.RetireKey(r.Context(), by, in.KID, in.Compromised); err != nil {
		return err
	}
	return m.keys(w, r, by)
}

func (m *Manage) rotateKEK(w http.ResponseWriter, r *http.Request, by settle.Caller) error {
	if err := door.JSON(w, r, &struct{}{}); err != nil {
		return err
	}
	n, err := m.Manage.RotateKEK(r.Context(), by)
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, resealed{n})
	return nil
}
