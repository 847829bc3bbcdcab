package mail

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/doorward/doorward/internal/core/outbox"
)

// A sink is a mail server on this machine that keeps what it is given.
type sink struct {
	mu    sync.Mutex
	mails []received
	fail  error // what it says instead of taking a mail
}

type received struct {
	from string
	to   []string
	text string
}

func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) { return &sitting{sink: s}, nil }

type sitting struct {
	*sink
	mail received
}

func (s *sitting) Reset()        { s.mail = received{} }
func (s *sitting) Logout() error { return nil }
func (s *sitting) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.from = from
	return nil
}

func (s *sitting) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = append(s.mail.to, to)
	return nil
}

func (s *sitting) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.mail.text = string(text)
	s.mails = append(s.mails, s.mail)
	return nil
}

func newSink(t *testing.T) (*sink, Transport) {
	t.Helper()
	s := &sink{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(s)
	server.Domain = "localhost"
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	to, err := Open(fmt.Sprintf("smtp://%s?from=no-reply@auth.example.com", l.Addr()), "", "auth.example.com")
	if err != nil {
		t.Fatal(err)
	}
	return s, to
}

// bodies reads the parts of a mail by media type.
func bodies(t *testing.T, m *netmail.Message) map[string]string {
	t.Helper()
	media, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || media != "multipart/alternative" {
		t.Fatalf("Content-Type %q: %v", m.Header.Get("Content-Type"), err)
	}
	out := map[string]string{}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		media, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		out[media] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}

func TestSMTP(t *testing.T) {
	s, to := newSink(t)
	m := full(outbox.ConfirmAddress)
	m.ID = outbox.NewID(m.Created, [16]byte{1})
	said, err := words.Render(m)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a mail that is sent again is the same mail
		if err := to.Send(t.Context(), said); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.mails) != 2 || s.mails[0].from != "no-reply@auth.example.com" || !slices.Equal(s.mails[0].to, []string{"ana@example.com"}) {
		t.Fatalf("the server got %+v", s.mails)
	}
	got, err := netmail.ReadMessage(strings.NewReader(s.mails[1].text))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	for name, want := range map[string]string{"From": "<no-reply@auth.example.com>", "To": "<ana@example.com>", "Message-Id": "<" + m.ID.String() + "@auth.example.com>",
		"Auto-Submitted": "auto-generated", "Cc": "", "Bcc": "", "Reply-To": "", "User-Agent": "", "X-Mailer": ""} {
		if h := got.Header.Get(name); h != want {
			t.Errorf("%s: %q, want %q", name, h, want)
		}
	}
	if at, derr := got.Header.Date(); err != nil || derr != nil || subject != "1234 5678 is your code for auth.example.com" || !at.Equal(m.Created) {
		t.Errorf("Subject %q, Date %v, %v, %v", subject, at, err, derr)
	}
	parts := bodies(t, got)
	if len(parts) != 2 || parts["text/plain"] != said.Text || parts["text/html"] != said.HTML {
		t.Errorf("the bodies are %q", parts)
	}
}

// A server that does not take a mail, now or ever, is an error: the outbox
// keeps it.
func TestAServerThatRefusesIsAnError(t *testing.T) {
	s, to := newSink(t)
	said, err := words.Render(full(outbox.Test))
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []int{451, 550} {
		s.fail = &smtp.SMTPError{Code: code, Message: "not now"}
		if err := to.Send(t.Context(), said); err == nil || !strings.Contains(err.Error(), "not now") {
			t.Errorf("%d: %v", code, err)
		}
	}
	s.fail = nil
	if err := to.Send(t.Context(), said); err != nil || len(s.mails) != 1 {
		t.Errorf("afterwards: %v, %d mails", err, len(s.mails))
	}
	nobody, err := Open("smtp://127.0.0.1:1?from=a@example.com", "", "example.com")
	if err != nil {
		t.Fatal(err)
	}
	if nobody.Send(t.Context(), said) == nil {
		t.Error("nobody took the mail")
	}
}

// What strangers choose makes no header, no recipient and no second mail.
func TestNobodyInjectsHeaders(t *testing.T) {
	s, to := newSink(t)
	evil := "x\r\nBcc: mallory@evil.example\r\nSubject: other\r\n\r\nbody\r\n.\r\nMAIL FROM:<m@evil.example>\r\n"
	m := full(outbox.NewDevice)
	m.Facts.Name, m.Facts.Device, m.Facts.Place, m.Facts.By = evil, evil, evil, evil
	if said, err := words.Render(m); err == nil {
		if err := to.Send(t.Context(), said); err != nil {
			t.Logf("refused: %v", err)
		}
	}
	for _, address := range []string{"ana@example.com\r\nBcc: mallory@evil.example", "ana@example.com,mallory@evil.example", "ana@example.com>\r\nRCPT TO:<mallory@evil.example"} {
		said, err := words.Render(full(outbox.Test))
		if err != nil {
			t.Fatal(err)
		}
		said.To = address
		if err := to.Send(t.Context(), said); err == nil {
			t.Errorf("%q took a mail", address)
		}
	}
	for _, got := range s.mails {
		if !slices.Equal(got.to, []string{"ana@example.com"}) || got.from != "no-reply@auth.example.com" {
			t.Errorf("the mail is from %q to %q", got.from, got.to)
		}
		read, err := netmail.ReadMessage(strings.NewReader(got.text))
		if err != nil {
			t.Fatal(err)
		}
		if read.Header.Get("Bcc") != "" || len(read.Header["Subject"]) != 1 || read.Header.Get("Subject") == "other" {
			t.Errorf("the headers are %v", read.Header)
		}
	}
	if len(s.mails) > 1 {
		t.Errorf("%d mails", len(s.mails))
	}
}
