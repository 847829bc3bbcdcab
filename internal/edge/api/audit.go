package api

import (
	"encoding/hex"
	"net/http"

	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

type chainOut struct {
	Chain    string `json:"chain"`
	OK       bool   `json:"ok"`
	Segments uint64 `json:"segments"`
	Entries  int    `json:"entries"`
	Open     int    `json:"open"`
	Head     string `json:"head,omitzero"`
	Broken   string `json:"broken,omitzero"`
}

type verified struct {
	OK     bool       `json:"ok"`
	Chains []chainOut `json:"chains"`
}

// verify walks the ledger's chains.
func (m *Manage) verify(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	proofs, err := m.Manage.VerifyLedger(r.Context())
	if err != nil {
		return err
	}
	out := verified{OK: true}
	names := map[ledger.Chain]string{ledger.Audit: "audit", ledger.Rest: "rest"}
	for _, p := range proofs {
		c := chainOut{Chain: names[p.Chain], OK: p.Broken == nil, Segments: p.Segments, Entries: p.Entries, Open: p.Open}
		if p.Segments > 0 {
			c.Head = hex.EncodeToString(p.Head[:])
		}
		if p.Broken != nil {
			c.Broken, out.OK = p.Broken.Error(), false
		}
		out.Chains = append(out.Chains, c)
	}
	door.WriteJSON(w, "application/json", http.StatusOK, out)
	return nil
}
