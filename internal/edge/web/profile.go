package web

import (
	"io"
	"time"

	"github.com/doorward/doorward/internal/edge/web/ui"
)

var (
	profileTemplate = ui.Load(files, "parts.html", "account/nav.html", "account/profile.html")
	movedTemplate   = ui.Load(files, "parts.html", "account/moved.html")
)

// ProfilePage is /account/profile. It posts to /account/email the fields csrf, email.
type ProfilePage struct {
	ui.Shell
	ui.Form
	Person
	Leaving time.Time // when the account is to be deleted; zero for never
	Typed   string    // the address as typed before
	Explain []string
}

// Title heads the page.
func (ProfilePage) Title() ui.Message { return ui.Say("profile.title") }

// Button names the main button.
func (ProfilePage) Button() ui.Message { return ui.Say("profile.submit") }

// Section marks the place in the navigation.
func (ProfilePage) Section() string { return "profile" }

// Render writes the page.
func (p ProfilePage) Render(w io.Writer) error { return profileTemplate.Render(w, p.Lang, p) }

// MovedPage says that an address was changed, or is back, and what to do now.
type MovedPage struct {
	ui.Shell
	What, Now ui.Message
	On        string // where to go on
	Does      ui.Message
}

// AddressMoved is a change that a link confirmed.
func AddressMoved(s ui.Shell) MovedPage {
	return MovedPage{Shell: s, What: ui.Say("profile.confirmed"), Now: ui.Say("profile.confirmed_now"), On: profileAt, Does: ui.Say("profile.again")}
}

// AddressBack is a change that was taken back.
func AddressBack(s ui.Shell) MovedPage {
	return MovedPage{Shell: s, What: ui.Say("profile.undone"), Now: ui.Say("profile.undone_now"), On: recoverAt, Does: ui.Say("profile.undo_again")}
}

// Title heads the page.
func (p MovedPage) Title() ui.Message { return p.What }

// Render writes the page.
func (p MovedPage) Render(w io.Writer) error { return movedTemplate.Render(w, p.Lang, p) }
