package doorwardtest

import (
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/internal/app"
)

// A Mail is one that the server sent.
type Mail struct {
	ID                string
	At                time.Time
	To, Subject, Text string
}

// An Inbox holds what the server sent to anybody.
type Inbox struct {
	in   *app.Inside
	mu   sync.Mutex
	seen map[string]bool
}

// All are the mails so far, oldest first.
func (b *Inbox) All(t testing.TB) []Mail {
	t.Helper()
	all, err := b.in.Mails(t.Context())
	if err != nil {
		t.Fatal("doorwardtest: ", err)
	}
	out := make([]Mail, len(all))
	for i, m := range all {
		out[i] = Mail{m.ID, m.At, m.To, m.Subject, m.Text}
	}
	return out
}

// Next waits for the next mail to an address: the oldest that it has not given yet.
func (b *Inbox) Next(t testing.TB, to string) Mail {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		for _, m := range b.All(t) {
			if m.To == to && !b.seen[m.ID] {
				b.seen[m.ID] = true
				return m
			}
		}
		if time.Now().After(late) {
			t.Fatalf("doorwardtest: no mail came for %s", to)
		}
	}
}
