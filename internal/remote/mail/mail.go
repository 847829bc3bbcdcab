// Package mail puts messages of the outbox into words and hands them over: to
// a mail server, into a directory, or into memory for development and tests.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/doorward/doorward/internal/core/outbox"
)

// A Mail is a message in words.
type Mail struct {
	ID      string
	At      time.Time
	Kind    outbox.Kind
	To      string
	Subject string
	Text    string
	HTML    string
}

// A Transport hands mails over. An error means that it has not taken the mail,
// or that nobody knows: it is sent again.
type Transport interface {
	Send(ctx context.Context, m Mail) error
}

// Open makes the transport that a setting names: smtp://user@host:587?from=...,
// file:/directory, or nothing for an Inbox in memory. host is the issuer's.
func Open(setting, password, host string) (Transport, error) {
	if dir, ok := strings.CutPrefix(setting, "file:"); ok {
		return &directory{dir: dir, from: "no-reply@" + host}, os.MkdirAll(dir, 0o700)
	}
	u, err := url.Parse(setting)
	if err != nil || u.Scheme != "smtp" {
		return nil, errors.New("mail: neither smtp://host nor file:/directory")
	}
	s := &server{host: u.Hostname(), port: 587, from: u.Query().Get("from"), password: password}
	if u.User != nil {
		s.user = u.User.Username()
	}
	if s.from == "" {
		s.from = "no-reply@" + host
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil {
			return nil, fmt.Errorf("mail: port %q", p)
		}
	}
	s.plain = onThisMachine(s.host)
	return s, nil
}

// onThisMachine says whether a mail server can be spoken to without TLS: what
// is said to it does not leave the machine.
func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// message is a mail in the form of RFC 5322: the words twice, as text and as
// HTML, and nothing that reports back.
func message(m Mail, from string) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.FromFormat("", from); err != nil {
		return nil, err
	}
	if err := msg.To(m.To); err != nil {
		return nil, err
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.At)
	_, domain, _ := strings.Cut(from, "@")
	// The same at every try, so that a mail that comes twice is seen as one.
	msg.SetMessageIDWithValue(m.ID + "@" + domain)
	// Nobody answers these: no out-of-office replies either (RFC 3834 section 5).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return msg, nil
}

// server is a mail server, by SMTP.
type server struct {
	host, from     string
	user, password string
	port           int
	plain          bool // no TLS asked: the server is on this machine
}

func (s *server) Send(ctx context.Context, m Mail) error {
	msg, err := message(m, s.from)
	if err != nil {
		return err
	}
	options := []gomail.Option{gomail.WithPort(s.port), gomail.WithTimeout(20 * time.Second)}
	switch {
	case s.port == 465: // implicit TLS (RFC 8314 section 3.3)
		options = append(options, gomail.WithSSL())
	case s.plain:
		// A certificate would prove nothing here: who could stand in between has
		// the machine.
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic), gomail.WithTLSConfig(&tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.user != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.user), gomail.WithPassword(s.password))
	}
	client, err := gomail.NewClient(s.host, options...)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, msg)
}

// directory keeps each mail as one .eml file, for tests and for looking.
type directory struct{ dir, from string }

func (d *directory) Send(_ context.Context, m Mail) error {
	msg, err := message(m, d.from)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(d.dir, ".mail-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = msg.WriteTo(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	// It appears whole or not at all.
	return os.Rename(f.Name(), filepath.Join(d.dir, m.ID+".eml"))
}

// inboxKeeps bounds the mails that an Inbox remembers.
const inboxKeeps = 200

// An Inbox keeps mails in memory, the newest last.
type Inbox struct {
	mu    sync.Mutex
	mails []Mail
}

// Send keeps a mail; one that comes again is kept once.
func (b *Inbox) Send(_ context.Context, m Mail) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, old := range b.mails {
		if old.ID == m.ID {
			return nil
		}
	}
	b.mails = append(b.mails, m)
	if len(b.mails) > inboxKeeps {
		b.mails = b.mails[len(b.mails)-inboxKeeps:]
	}
	return nil
}

// Mails are those that came, the newest last.
func (b *Inbox) Mails() []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Mail(nil), b.mails...)
}
