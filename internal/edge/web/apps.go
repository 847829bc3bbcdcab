package web

import (
	"io"
	"net/url"
	"time"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

var (
	appsTemplate = ui.Load(files, "parts.html", "permissions.html", "account/nav.html", "account/apps.html")
	appTemplate  = ui.Load(files, "parts.html", "account/nav.html", "account/app.html")
)

// AppsPage is /account/apps: what the person allowed, and what ends it (ASVS 10.7.3).
type AppsPage struct {
	ui.Shell
	ui.Form
	Apps []Connected
	Gone *Effect // the result of the act that led here
}

// Connected is one application.
type Connected struct {
	ID     string // its client id
	Name   string
	Domain string // the host of its registered redirect; empty for a machine's
	Since  time.Time
	Used   time.Time // when it last got a token; zero when that is not known
	Policy bool      // the deployment allowed it, and would again
	May    []Permission
	Lasts  ui.Message
	Effect Effect // of removing it
}

// RemovePath is where the form posts that removes it, and where the page is that asks first.
func (c Connected) RemovePath() string { return appsAt + "/" + url.PathEscape(c.ID) + "/remove" }

// SignOutPath is the same for the end of its tokens alone: what it may do stays allowed.
func (c Connected) SignOutPath() string { return appsAt + "/" + url.PathEscape(c.ID) + "/sign-out" }

const appsAt = "/account/apps"

// Title heads the page.
func (AppsPage) Title() ui.Message { return ui.Say("apps.title") }

// Section marks the place in the navigation.
func (AppsPage) Section() string { return "apps" }

// Render writes the page.
func (p AppsPage) Render(w io.Writer) error { return appsTemplate.Render(w, p.Lang, p) }

// AppPage says what ends with one application, and asks. It posts to its own address the field csrf.
type AppPage struct {
	ui.Shell
	ui.Form
	Connected
	Only    bool // its tokens only: it stays allowed
	Explain []string
}

// Title heads the page.
func (p AppPage) Title() ui.Message {
	if p.Only {
		return ui.Say("apps.signout_title", "app", p.Name)
	}
	return ui.Say("apps.remove_title", "app", p.Name)
}

// Action is the page's own address.
func (p AppPage) Action() string {
	if p.Only {
		return p.SignOutPath()
	}
	return p.RemovePath()
}

// Button names the main button.
func (p AppPage) Button() ui.Message {
	if p.Only {
		return ui.Say("apps.signout")
	}
	return ui.Say("apps.remove")
}

// Section marks the place in the navigation.
func (AppPage) Section() string { return "apps" }

// Render writes the page.
func (p AppPage) Render(w io.Writer) error { return appTemplate.Render(w, p.Lang, p) }

// EndsPermission is what an application was allowed.
func EndsPermission(app string) ui.Message { return ui.Say("effect.permission", "app", app) }

// EndedPermission is what an application was allowed, after the act.
func EndedPermission() ui.Message { return ui.Say("effect.permission_done") }
