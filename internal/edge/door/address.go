package door

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/doorward/doorward/internal/core/check"
)

// An Address is what there is at one address: its methods, and the parameters
// of the query that any of them knows. Where there is GET there is HEAD.
type Address struct {
	Methods map[string]Handler
	Query   []string
}

// Allow lists the methods, as the header of that name does.
func (a Address) Allow() string {
	methods := slices.Collect(maps.Keys(a.Methods))
	if a.Methods[http.MethodGet] != nil {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}

// Serve answers by the method. Another one is refused with the list of those
// that are there (RFC 9110 section 15.5.6).
func (a Address) Serve(w http.ResponseWriter, r *http.Request) error {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	h := a.Methods[method]
	if h == nil {
		w.Header().Set("Allow", a.Allow())
		return check.Refuse(Method)
	}
	if _, err := Params(r, a.Query...); err != nil {
		return err
	}
	return h(w, r)
}
