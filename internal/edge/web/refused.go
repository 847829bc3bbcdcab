package web

import (
	"net/http"
	"regexp"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/token"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

// refused answers with the form that was sent, when there is one to go back to, else with the page that says why not.
func (v *visit) refused(w http.ResponseWriter, _ *http.Request, e *check.Refusal, status int) {
	if v.again != nil {
		if page, code := v.again(e); page != nil && ui.Write(w, code, page) == nil {
			return
		}
	}
	page := ErrorPage{Shell: v.shell(), Refusal: v.words(e.Check()), Check: e.Check().Shown, Ref: e.Ref, At: v.now()}
	if ui.Write(w, status, page) != nil {
		http.Error(w, "Something failed on our side. "+e.Ref, http.StatusInternalServerError)
	}
}

// words is the pages' table of refusals.
func (v *visit) words(c *check.Check) Refusal {
	switch c {
	case door.Site, formToken:
		return Forged()
	case token.OnceKnown, token.OnceInTime:
		return Refusal{LinkUnknown(), ui.Say("verify.unknown_now")}
	case exchange.LogoutClient:
		return AppUnknown()
	case exchange.LogoutRedirect:
		return WrongGoodbye()
	}
	switch c.Fault {
	case fault.Missing:
		return NotFound()
	case fault.Method:
		return WrongMethod()
	case fault.Malformed, fault.TooLarge, fault.Unsupported, fault.Unacceptable:
		return Unreadable()
	case fault.Misdirected:
		return WrongHost(v.door.Issuer.Host)
	case fault.Slow, fault.Busy:
		return Busy()
	case fault.Internal:
		return Broken()
	}
	return NotAllowed()
}

// reference is the form of what secret.Ref makes.
var reference = regexp.MustCompile(`^[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{2}$`)

// showError is where other surfaces send a browser after a refusal that they cannot show.
func (v *visit) showError() error {
	q, err := door.Params(v.r, "ref")
	if err != nil {
		return err
	}
	page := ErrorPage{Shell: v.shell(), Refusal: Unsaid()}
	if ref := q.Get("ref"); reference.MatchString(ref) {
		page.Ref = ref
	}
	return v.show(page)
}
