package app

import (
	"context"
	"errors"
	"net/url"

	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/edge/web"
	"github.com/doorward/doorward/internal/remote/mail"
)

// kickMail has the outbox looked at now.
func (s *server) kickMail() {
	select {
	case s.posted <- struct{}{}:
	default:
	}
}

// deliver sends what is due, until nothing is.
func (s *server) deliver(ctx context.Context) error {
	issuer, err := url.Parse(s.config.Issuer)
	if err != nil {
		return err
	}
	words := mail.Words{Issuer: issuer}
	for {
		n, err := s.pipe.Deliver(ctx, s.keys.Keys.Ring().Mail, func(ctx context.Context, m outbox.Message) error {
			if m.Kind == outbox.LogoutNotice {
				return s.exchange.TellLogout(ctx, m)
			}
			if s.mail == nil {
				return errors.New("there is no way to send mail any more")
			}
			said, err := words.Render(m)
			if err != nil {
				return err
			}
			return s.mail.Send(ctx, said)
		}, func(m outbox.Message, err error) {
			s.log.Warn("a message was not delivered and will be tried again", "message", m.ID.String(), "kind", m.Kind.String(), "cause", err)
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// mailbox is what the development page shows, the newest first.
func (s *server) mailbox() []web.DevMail {
	all := s.inbox.Mails()
	out := make([]web.DevMail, len(all))
	for i, m := range all {
		out[len(all)-1-i] = web.DevMail{At: m.At, To: m.To, Subject: m.Subject, Text: m.Text}
	}
	return out
}
