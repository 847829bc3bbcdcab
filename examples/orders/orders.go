// Package orders is a small API and page guarded by the Go SDK: the example to
// copy from, and the app of doorward demo.
//
// It shows three things that are easily forgotten: a scope on every route, an
// ownership check on every object, and a page that holds its access token in
// memory only.
package orders

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"

	doorward "github.com/doorward/doorward/sdk"
)

// An Order is what somebody bought.
type Order struct {
	ID   string `json:"id"`
	What string `json:"what"`
}

// A Store keeps orders in memory. Its zero value is empty.
type Store struct {
	// Samples are given to everybody who has no order yet, so that there is
	// something to see on the first visit.
	Samples []string

	mu     sync.Mutex
	orders []owned
}

type owned struct {
	subject string
	Order
}

// Add gives the subject an order. An order of that id is replaced.
func (s *Store) Add(subject string, o Order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders = slices.DeleteFunc(s.orders, func(have owned) bool { return have.ID == o.ID })
	s.orders = append(s.orders, owned{subject, o})
}

// Of lists the subject's orders, oldest first.
func (s *Store) Of(subject string) []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := []Order{}
	for _, o := range s.orders {
		if o.subject == subject {
			mine = append(mine, o.Order)
		}
	}
	if len(mine) > 0 {
		return mine
	}
	next := 123
	for _, what := range s.Samples {
		for s.find(strconv.Itoa(next)) != nil {
			next++
		}
		o := Order{ID: strconv.Itoa(next), What: what}
		s.orders = append(s.orders, owned{subject, o})
		mine = append(mine, o)
	}
	return mine
}

// Owner returns whose order it is, or [doorward.ErrMissing].
func (s *Store) Owner(_ context.Context, id string) (subject string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.find(id); o != nil {
		return o.subject, nil
	}
	return "", doorward.ErrMissing
}

// get returns an order for a caller who was found to own it.
func (s *Store) get(id string) (Order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.find(id); o != nil {
		return o.Order, true
	}
	return Order{}, false
}

func (s *Store) find(id string) *owned {
	for n := range s.orders {
		if s.orders[n].ID == id {
			return &s.orders[n]
		}
	}
	return nil
}

// New serves the API under /orders and the page under /demo. The page expects
// to stand on the server's own origin.
func New(v *doorward.Verifier, store *Store) http.Handler {
	read := doorward.Scope("orders:read")
	mux := http.NewServeMux()
	mux.Handle("GET /orders", v.Require(read)(list(store)))
	mux.Handle("GET /orders/{id}", v.Require(read, doorward.Owned("id", store.Owner))(show(store)))
	page(mux)
	return mux
}

func list(store *Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := doorward.From(r.Context())
		reply(w, map[string]any{"orders": store.Of(who.Subject)})
	})
}

// show needs no check of its own: it runs only for the owner.
func show(store *Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o, ok := store.get(r.PathValue("id"))
		if !ok { // it went between the check and here
			http.NotFound(w, r)
			return
		}
		reply(w, o)
	})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// An error here is a connection that is gone.
	_ = json.NewEncoder(w).Encode(v)
}
