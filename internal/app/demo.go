package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"

	"github.com/doorward/doorward/examples/orders"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/manage"
	"github.com/doorward/doorward/internal/core/settle"
	doorward "github.com/doorward/doorward/sdk"
)

// Demo says how the demo runs. Keep is the directory to keep everything in;
// empty keeps nothing. Talk is where it says what to try.
type Demo struct {
	Listen, Keep string
	Talk         io.Writer
}

// The people of the demo. Their passwords are for everybody to read: the demo
// listens on this machine alone.
var demoPeople = []struct{ email, name, password string }{
	{"ana@example.com", "Ana Ruiz", "four lamps on a hill"},
	{"ben@example.com", "Ben Okafor", "nine boats at the pier"},
}

const ordersAPI = "orders-api"

// RunDemo runs everything on one port: server, orders API behind the SDK, and
// a page that uses both.
func RunDemo(ctx context.Context, d Demo) error {
	data := d.Keep
	if data == "" {
		made, err := os.MkdirTemp("", "doorward-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(made)
		data = made
	}
	listen, err := freeListen(d.Listen)
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(listen)
	issuer := "http://localhost:" + port
	c, problems := Load(nil, nil, map[string]string{"issuer": issuer, "data": data, "listen": listen, "ops_listen": "127.0.0.1:0",
		"sign_up.open": "open"})
	if len(problems) > 0 {
		return errors.New(problems[0].In("demo"))
	}
	// The demo's talk is for people; its log would stand in the way.
	log := slog.New(slog.NewTextHandler(d.Talk, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return run(ctx, c, log, func(ctx context.Context, s *server, mux *http.ServeMux, _ net.Listener) (func(), error) {
		secret, err := s.seedDemo(ctx, issuer)
		if err != nil {
			return nil, err
		}
		shop, err := s.seedOrders(ctx)
		if err != nil {
			return nil, err
		}
		late := &lateHandler{ready: make(chan struct{})}
		for _, p := range []string{"/orders", "/orders/{id}", "/demo", "/demo/"} {
			mux.Handle(p, late)
		}
		return func() {
			go late.become(ctx, d.Talk, issuer, secret, shop)
		}, nil
	})
}

// freeListen gives the wished address, or the next free port after it.
func freeListen(wish string) (string, error) {
	host, port, err := net.SplitHostPort(wish)
	if err != nil {
		return "", err
	}
	for n := range 20 {
		p := port
		if n > 0 {
			p = fmt.Sprint(8400 + 10*n)
		}
		l, err := net.Listen("tcp", net.JoinHostPort(host, p))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return "", err
		}
		defer l.Close()
		return l.Addr().String(), nil
	}
	return "", fmt.Errorf("%s is in use, and so are the ports after it", wish)
}

var demoActor = settle.Caller{Actor: "demo"}

// seedDemo registers the page and the API, and adds the people; what a kept
// directory has already stays. The API's secret is made anew each time, since
// it cannot be read back: its id carries the start's instant.
func (s *server) seedDemo(ctx context.Context, issuer string) (api manage.NewClient, err error) {
	for _, p := range demoPeople {
		_, err := s.manage.CreateUser(ctx, demoActor, manage.NewUser{Email: p.email, Name: p.name, Verified: true, Password: p.password})
		if err := unless(err, identity.AddressFree); err != nil {
			return api, err
		}
	}
	_, err = s.manage.CreateClients(ctx, demoActor, []manage.NewClient{{Client: client.Client{ID: "orders", Name: "Orders", Type: "spa", FirstParty: true,
		Origins: []string{issuer}, Resources: []string{ordersAPI}, Scopes: []string{"account", "orders:read"}}}})
	if err := unless(err, client.IDFree); err != nil {
		return api, err
	}
	made, err := s.manage.CreateClients(ctx, demoActor, []manage.NewClient{{Client: client.Client{ID: fmt.Sprintf("orders-api-%d", s.now().UnixNano()), Name: "Orders API", Type: "machine",
		Resources: []string{ordersAPI}, Scopes: []string{"revocations:read"}}}})
	if err != nil {
		return api, err
	}
	return made[0], nil
}

// unless passes an error on unless it is the refusal of a check that a second
// start is bound to meet.
func unless(err error, known *check.Check) error {
	var r *check.Refusal
	if errors.As(err, &r) && r.Check() == known {
		return nil
	}
	return err
}

// demoOrders are whose and what, in the order of demoPeople.
var demoOrders = [][]orders.Order{
	{{ID: "123", What: "two lamps"}, {ID: "125", What: "a kettle"}},
	{{ID: "124", What: "a rowing boat"}, {ID: "126", What: "eight oars"}},
}

func (s *server) seedOrders(ctx context.Context) (*orders.Store, error) {
	shop := &orders.Store{}
	for i, p := range demoPeople {
		u, err := s.manage.FindUser(ctx, p.email)
		if err != nil {
			return nil, err
		}
		for _, o := range demoOrders[i] {
			shop.Add(u.ID.String(), o)
		}
	}
	return shop, nil
}

// lateHandler answers once the server it asks for keys is serving.
type lateHandler struct {
	ready chan struct{}
	h     http.Handler
}

func (l *lateHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-l.ready:
		l.h.ServeHTTP(w, r)
	case <-r.Context().Done():
	}
}

func (l *lateHandler) become(ctx context.Context, talk io.Writer, issuer string, api manage.NewClient, shop *orders.Store) {
	v, err := doorward.New(ctx, issuer, doorward.Audience(ordersAPI), doorward.Client(api.ID, api.Secret))
	if err != nil {
		fmt.Fprintln(talk, "the orders API cannot start:", err)
		return
	}
	context.AfterFunc(ctx, func() { v.Close() })
	l.h = orders.New(v, shop)
	close(l.ready)
	fmt.Fprintf(talk, welcome, issuer, demoPeople[0].email, demoPeople[0].password, demoPeople[1].email, demoPeople[1].password)
}

const welcome = `
doorward demo                                        nothing is kept; Ctrl-C removes everything

  1  Open     %[1]s/demo
  2  Sign in  %[2]s   password: %[3]s
          or  %[4]s   password: %[5]s
          or  make your own account; its mail comes to %[1]s/dev/mail
  3  Watch    what the server did, beside the orders

  Then, in a second tab: %[1]s/account/sessions
  End the session there and look at the orders again.

`
