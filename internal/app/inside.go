package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/doorward/doorward/internal/edge/api"
)

// An Inside is a whole server inside another program: for the tests of apps.
type Inside struct {
	s      *server
	http   *http.Server
	local  http.Handler
	stop   context.CancelFunc
	finish func()
}

// insideScale is what tests multiply every budget by: nobody waits in them.
const insideScale = 1000

// StartInside serves on a loopback listener, in development mode, with
// everything in a directory of the caller's and by the caller's clock.
func StartInside(ctx context.Context, listener net.Listener, data string, clock func() time.Time, log *slog.Logger) (*Inside, error) {
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, err
	}
	c, problems := Load(nil, map[string]string{"DOORWARD_LIMITS_SCALE": strconv.Itoa(insideScale)},
		map[string]string{"issuer": "http://localhost:" + port, "data": data, "listen": listener.Addr().String()})
	if len(problems) > 0 {
		return nil, fmt.Errorf("the server's configuration: %s", problems[0].In("doorwardtest"))
	}
	s, err := build(ctx, c, clock, log)
	if err != nil {
		return nil, err
	}
	working, stop := context.WithCancel(context.Background())
	in := &Inside{s: s, http: s.httpServer(s.clean(s.health(s.routes()))), local: s.local(), stop: stop, finish: s.jobs(working)}
	go func() { _ = in.http.Serve(listener) }()
	return in, nil
}

// Issuer is the server's address.
func (in *Inside) Issuer() string { return in.s.config.Issuer }

// Operate answers a request of the management API, as the host's operator.
func (in *Inside) Operate(w http.ResponseWriter, r *http.Request) {
	r.Host = "doorward"
	in.local.ServeHTTP(w, r.WithContext(api.WithActor(r.Context(), "test")))
}

// Position reads the feed up to its head, and says where that is.
func (in *Inside) Position(ctx context.Context) (uint64, error) {
	err := in.s.pipe.Follow.Read(ctx)
	return in.s.pipe.Feed.Position(), err
}

// A Mail is one that the server sent.
type Mail struct {
	ID                string
	At                time.Time
	To, Subject, Text string
}

// Mails sends what waits, and gives all that were sent, oldest first.
func (in *Inside) Mails(ctx context.Context) ([]Mail, error) {
	err := in.s.deliver(ctx)
	var out []Mail
	for _, m := range in.s.inbox.Mails() {
		out = append(out, Mail{ID: m.ID, At: m.At, To: m.To, Subject: m.Subject, Text: m.Text})
	}
	return out, err
}

// Close stops the server as SIGTERM does.
func (in *Inside) Close() error {
	close(in.s.closing)
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	err := in.http.Shutdown(ctx)
	in.stop()
	in.finish()
	if e := in.s.store.Close(); err == nil {
		err = e
	}
	return err
}
