package http_test

import (
	"io"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

// A letter is a mail that the server sent.
type letter struct{ to, text, link, code string }

var (
	recipient = regexp.MustCompile(`(?m)^To: (.*?)\r?$`)
	mailLink  = regexp.MustCompile(`https?://[^\s"<>]+`)
	mailCode  = regexp.MustCompile(`\b[0-9]{4} ?[0-9]{4}\b`)
)

// A mailbox is all that the server sends, to whomever.
type mailbox struct{ dir string }

// withMail starts a server that writes its mails into a directory.
func withMail(t *testing.T, engine rig.Engine, env ...string) (*rig.Server, *mailbox) {
	t.Helper()
	m := &mailbox{t.TempDir()}
	return rig.Start(t, engine, rig.Env(append([]string{"DOORWARD_MAIL=file:" + m.dir}, env...)...)), m
}

// letters are the mails so far that say something, the oldest first.
func (m *mailbox) letters(t *testing.T, says string) (all []letter) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(m.dir, "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names) // their ids begin with the time
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		decoded, _ := io.ReadAll(quotedprintable.NewReader(strings.NewReader(string(raw))))
		l := letter{text: string(decoded)}
		if to := recipient.FindStringSubmatch(string(raw)); to != nil {
			l.to = strings.Trim(to[1], "<> ")
		}
		for _, link := range mailLink.FindAllString(l.text, -1) {
			if l.link == "" && strings.Contains(link, "?t=") {
				l.link = link
			}
		}
		body := l.text
		if _, after, ok := strings.Cut(body, "\r\n\r\n"); ok {
			body = after
		}
		l.code = mailCode.FindString(body)
		if strings.Contains(l.text, says) {
			all = append(all, l)
		}
	}
	return all
}

// next waits for the n-th letter that says something and gives it.
func (m *mailbox) next(t *testing.T, n int, says string) letter {
	t.Helper()
	for range 500 {
		if all := m.letters(t, says); len(all) >= n {
			return all[n-1]
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("there are %d mails, not %d", len(m.letters(t, says)), n)
	return letter{}
}

// path is where a link leads on this server; another host fails the test.
func (l letter) path(t *testing.T, s *rig.Server) string {
	t.Helper()
	path, ours := strings.CutPrefix(l.link, s.URL)
	if !ours {
		t.Fatalf("the link leads elsewhere: %q of\n%s", l.link, l.text)
	}
	return path
}
