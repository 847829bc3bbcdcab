package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

// Nothing of the management API is there that its description leaves out.
func TestEveryRouteIsDescribed(t *testing.T) {
	names, places := map[string]bool{}, map[string]bool{}
	for _, x := range (&Manage{}).routes() {
		if says := x.described(); says != "" {
			t.Errorf("%s %s %s", x.method, x.path, says)
		}
		if names[x.name] || places[x.method+x.path] {
			t.Errorf("%s %s, %s, is there twice", x.method, x.path, x.name)
		}
		names[x.name], places[x.method+x.path] = true, true
		if !strings.HasPrefix(x.path, "/api/v1/") {
			t.Errorf("%s is outside the API", x.path)
		}
	}
}

func TestAnIncompleteDescriptionIsNoticed(t *testing.T) {
	do := func(http.ResponseWriter, *http.Request, settle.Caller) error { return nil }
	good := route{method: "GET", path: "/api/v1/x", name: "x", says: "Shows.", out: managedUser{}, do: do}
	if says := good.described(); says != "" {
		t.Fatal(says)
	}
	for what, spoil := range map[string]func(*route){
		"no sentence":           func(x *route) { x.says = "" },
		"half a sentence":       func(x *route) { x.says = "Shows" },
		"no answer":             func(x *route) { x.out = nil },
		"an unknown exchange":   func(x *route) { x.runs = "user.vanish" },
		"an unknown check":      func(x *route) { x.refuses = []string{"user.lucky"} },
		"an unknown parameter":  func(x *route) { x.query = []string{"colour"} },
		"a member without name": func(x *route) { x.out = struct{ A string }{} },
		"a type that is no JSON": func(x *route) {
			x.out = struct {
				A func() `json:"a"`
			}{}
		},
		"a body of a GET": func(x *route) { x.in = door.ProblemJSON{} },
	} {
		x := good
		spoil(&x)
		if x.described() == "" {
			t.Errorf("%s: nothing is said", what)
		}
	}
}
