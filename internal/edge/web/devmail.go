package web

import (
	"io"
	"net"
	"net/netip"
	"regexp"
	"time"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

var devMailTemplate = ui.Load(files, "parts.html", "dev/mail.html")

// DevMailPage is /dev/mail: in development mail stays in the browser.
type DevMailPage struct {
	ui.Shell
	Mails []DevMail // the newest first
}

// A DevMail is one mail that would have been sent.
type DevMail struct {
	At      time.Time
	To      string
	Subject string
	Text    string
	own     *regexp.Regexp
}

// A Part is a stretch of a mail's text; Link is empty where it leads nowhere.
type Part struct{ Text, Link string }

// Parts are the text with addresses of ours apart.
func (m DevMail) Parts() (out []Part) {
	rest := m.Text
	for _, at := range m.own.FindAllStringIndex(m.Text, -1) {
		before := rest[:at[0]-(len(m.Text)-len(rest))]
		link := m.Text[at[0]:at[1]]
		out = append(out, Part{Text: before}, Part{link, link})
		rest = m.Text[at[1]:]
	}
	return append(out, Part{Text: rest})
}

// Title heads the page.
func (DevMailPage) Title() ui.Message { return ui.Say("devmail.title") }

// Section makes the page as wide as the account.
func (DevMailPage) Section() string { return "dev" }

// Render writes the page.
func (p DevMailPage) Render(w io.Writer) error { return devMailTemplate.Render(w, p.Lang, p) }

func (v *visit) showDevMail() error {
	if v.mailbox == nil || !v.besideUs() {
		return check.Refuse(door.Path)
	}
	if _, err := door.Params(v.r); err != nil {
		return err
	}
	page := DevMailPage{Shell: v.shell(), Mails: v.mailbox()}
	own := regexp.MustCompile(regexp.QuoteMeta(v.own()) + `/[A-Za-z0-9/_?=.\-]*`)
	for i := range page.Mails {
		page.Mails[i].own = own
	}
	return v.show(page)
}

// besideUs says whether a request came from this machine itself: pages of
// development are for nobody else, and not for what a proxy passes on.
func (v *visit) besideUs() bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Via"} {
		if len(v.r.Header[h]) > 0 {
			return false
		}
	}
	host, _, _ := net.SplitHostPort(v.r.RemoteAddr)
	addr, err := netip.ParseAddr(host)
	return v.door.Dev && err == nil && addr.IsLoopback()
}
