package mail

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/outbox"
)

var words = Words{Issuer: &url.URL{Scheme: "https", Host: "auth.example.com"}}

// full is a message of which every fact is known.
func full(k outbox.Kind) outbox.Message {
	at := time.Date(2026, 11, 22, 15, 2, 0, 0, time.UTC)
	return outbox.Message{Kind: k, Created: at, To: "ana@example.com", Facts: outbox.Facts{Name: "Ana", Code: "12345678", Link: "/not-me/Q7", Until: at.Add(time.Hour),
		When: at, Device: "Chrome on Windows", Place: "France", IP: "203.0.113.88", How: "password", By: "Ben", Mail: "new@example.com", Count: 3, App: "Notes"}}
}

// Every mail that has words can be written, and says nothing that nobody can
// read: holes are filled, and its one host is the issuer's (attack REC-03).
func TestEveryMailIsWhole(t *testing.T) {
	for name := range catalogues[english] {
		if name == "frame" {
			continue
		}
		kind := outbox.Kind(0)
		for k := outbox.Kind(1); k.String() != ""; k++ {
			if k.String() == name {
				kind = k
			}
		}
		if kind == 0 {
			t.Errorf("there are words for %q, which is no mail", name)
			continue
		}
		for what, m := range map[string]outbox.Message{"all facts": full(kind), "few facts": few(kind)} {
			mail, err := words.Render(m)
			if err != nil {
				t.Errorf("%s with %s: %v", name, what, err)
				continue
			}
			if h := hole.FindString(mail.Subject + mail.Text + mail.HTML); h != "" {
				t.Errorf("%s with %s holds %s", name, what, h)
			}
			for _, at := range strings.Split(mail.Text, "http")[1:] {
				if !strings.HasPrefix(at, "s://auth.example.com/") {
					t.Errorf("%s leads to http%.40s", name, at)
				}
			}
			if strings.Contains(mail.Text, "\n\n\n") || strings.ContainsAny(mail.Subject, "\r\n") {
				t.Errorf("%s with %s:\n%s\n%s", name, what, mail.Subject, mail.Text)
			}
		}
	}
}

// few is a message of which nothing is known that may be missing.
func few(k outbox.Kind) outbox.Message {
	m := full(k)
	m.Facts.Name, m.Facts.Device, m.Facts.Place, m.Facts.IP, m.Facts.By = "", "", "", "", ""
	return m
}

// The mails about applications name them, and lead to where they are removed.
func TestTheMailsAboutApplications(t *testing.T) {
	for kind, subject := range map[outbox.Kind]string{outbox.AppConnected: "You connected Notes", outbox.DeviceAllowed: "You allowed a device: Chrome on Windows"} {
		m := full(kind)
		m.Facts.Link = "/account/apps"
		mail, err := words.Render(m)
		if err != nil || mail.Subject != subject {
			t.Errorf("%v: %v, %q", kind, err, mail.Subject)
		}
		for _, want := range []string{"  App      Notes", "22 November 2026, 15:02 UTC", "https://auth.example.com/account/apps"} {
			if !strings.Contains(mail.Text, want) {
				t.Errorf("%v does not say %q:\n%s", kind, want, mail.Text)
			}
		}
	}
}

// The mail about a new browser, as people read it.
func TestTheMailAboutANewBrowser(t *testing.T) {
	mail, err := words.Render(full(outbox.NewDevice))
	want := `Ana,

Your account at auth.example.com was used in a browser that you did not use before.

  When     22 November 2026, 15:02 UTC
  Device   Chrome on Windows
  Where    near France (from the IP address, approximate)
  Address  203.0.113.88
  How      password

If it was you, there is nothing to do. If it was not, open this page, without signing in:

https://auth.example.com/not-me/Q7

It works once, for seven days. You get this once for each new browser.

ana@example.com · auth.example.com
`
	if err != nil || mail.Subject != "New sign-in: Chrome on Windows" || mail.Text != want {
		t.Errorf("%v\n%s\n%s", err, mail.Subject, mail.Text)
	}
	mail, err = words.Render(few(outbox.NewDevice))
	if err != nil || mail.Subject != "New sign-in: a device we do not know" || strings.Contains(mail.Text, "Where") || strings.Contains(mail.Text, "Address  ") {
		t.Errorf("%v\n%s\n%s", err, mail.Subject, mail.Text)
	}
}
