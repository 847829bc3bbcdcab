package api

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

// Drills are the drills under way on this node: nonces that an operator asked
// for over the host's socket. The public address of each answers until then,
// which proves to the drill that what it attacks is the operator's own.
type Drills struct {
	Door *door.Door

	mu    sync.Mutex
	until map[string]time.Time
}

type drillOut struct {
	Issuer string    `json:"issuer"`
	Nonce  string    `json:"nonce"`
	Until  time.Time `json:"until"`
}

type drillEnded struct {
	Nonce string `json:"nonce"`
}

const (
	drillFor     = 30 * time.Minute
	drillsAtOnce = 16
)

// Routes mounts the public address of the nonces.
func (d *Drills) Routes(mux *http.ServeMux) {
	mux.Handle("/.well-known/doorward-drill/{nonce}", d.Door.On(door.Problem, door.Address{Methods: map[string]door.Handler{"GET": d.prove}}.Serve))
}

func (d *Drills) prove(w http.ResponseWriter, r *http.Request) error {
	nonce := r.PathValue("nonce")
	d.mu.Lock()
	until := d.until[nonce]
	d.mu.Unlock()
	if !d.Door.Now().Before(until) {
		return check.Refuse(door.Path)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err := fmt.Fprintln(w, nonce)
	return err
}

// begin gives an operator a nonce, and says where it is answered. The oldest
// gives way when there are many.
func (d *Drills) begin(w http.ResponseWriter, _ *http.Request, _ settle.Caller) error {
	random := secret.Random16()
	nonce, now := secret.Encode(random[:]), d.Door.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == nil {
		d.until = map[string]time.Time{}
	}
	oldest := ""
	for n, until := range d.until {
		if !now.Before(until) {
			delete(d.until, n)
		} else if oldest == "" || until.Before(d.until[oldest]) {
			oldest = n
		}
	}
	if len(d.until) >= drillsAtOnce {
		delete(d.until, oldest)
	}
	d.until[nonce] = now.Add(drillFor)
	door.WriteJSON(w, "application/json", http.StatusCreated, drillOut{d.Door.Issuer.String(), nonce, d.until[nonce]})
	return nil
}

func (d *Drills) end(w http.ResponseWriter, r *http.Request, _ settle.Caller) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	nonce := r.PathValue("nonce")
	if _, known := d.until[nonce]; !known {
		return check.Refuse(door.Path)
	}
	delete(d.until, nonce)
	door.WriteJSON(w, "application/json", http.StatusOK, drillEnded{nonce})
	return nil
}
