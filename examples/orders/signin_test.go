package orders_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/doorward/doorward/doorwardtest"
	"github.com/doorward/doorward/examples/orders"
)

const page = "https://shop.example.com"

// status asks the API for something with a token.
func status(h http.Handler, path, token string) int {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// The API with people who really sign in: each sees their own orders, an order
// of somebody else's is a missing one, and whoever is signed out is out.
func TestOrdersOfPeopleWhoSignIn(t *testing.T) {
	s := doorwardtest.Start(t)
	s.Client(t, doorwardtest.Client{ID: "shop", Origins: []string{page}, Resources: []string{"orders-api"}, Scopes: []string{"orders:read"}})
	ana, ben := s.User(t, "ana@example.com", "four lamps on a hill"), s.User(t, "ben@example.com", "nine boats at the pier")
	store := &orders.Store{}
	store.Add(ana.ID, orders.Order{ID: "123", What: "two lamps"})
	store.Add(ben.ID, orders.Order{ID: "124", What: "a rowing boat"})
	api := orders.New(s.Verifier(t, "orders-api"), store)

	tokens := s.SignIn(t, ana, page)
	for path, want := range map[string]int{"/orders": 200, "/orders/123": 200, "/orders/124": 404, "/orders/999": 404} {
		if got := status(api, path, tokens.Access); got != want {
			t.Errorf("Ana's %s: %d, want %d", path, got, want)
		}
	}
	s.Clock.Advance(time.Hour)
	if got := status(api, "/orders", tokens.Access); got != 401 {
		t.Errorf("with a token of an hour ago: %d", got)
	}
	tokens = s.Refresh(t, tokens)
	if got := status(api, "/orders", tokens.Access); got != 200 {
		t.Errorf("after a refresh: %d", got)
	}
	s.SignOut(t, tokens)
	if got := status(api, "/orders", tokens.Access); got != 401 {
		t.Errorf("after the sign-out: %d", got)
	}
}

// The same without a server: enough for most tests of handlers.
func TestOrdersWithTokensAlone(t *testing.T) {
	store := &orders.Store{}
	store.Add("ana", orders.Order{ID: "123", What: "two lamps"})
	store.Add("ben", orders.Order{ID: "124", What: "a rowing boat"})
	api := orders.New(doorwardtest.Verifier(t, "orders-api"), store)
	read := doorwardtest.Scope("orders:read")
	for name, c := range map[string]struct {
		path, token string
		want        int
	}{
		"one's own":         {"/orders/123", doorwardtest.Token(t, doorwardtest.As("ana"), read), 200},
		"somebody else's":   {"/orders/124", doorwardtest.Token(t, doorwardtest.As("ana"), read), 404},
		"without the scope": {"/orders/123", doorwardtest.Token(t, doorwardtest.As("ana")), 403},
	} {
		if got := status(api, c.path, c.token); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
