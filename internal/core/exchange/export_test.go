package exchange_test

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/exchange"
	"github.com/doorward/doorward/internal/core/settle"
)

// A copy has what is known of the caller and of nobody else, needs a fresh
// proof, and is not made without end.
func TestTakingOutACopy(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		p, other := r.person(), r.person()
		in, his := r.signIn(t, p), r.signIn(t, other)
		_, _ = r.Password(t.Context(), elsewhere(1), exchange.PasswordInput{Email: p.email, Password: "not hers at all"})
		name := "Ana"
		operator := from("198.51.100.99")
		operator.Actor = other.id.String()
		if err := r.manage.EditUser(t.Context(), operator, p.id, &name, nil); err != nil {
			t.Fatal(err)
		}
		c, err := r.Export(t.Context(), home, in.Cookie)
		if err != nil {
			t.Fatal(err)
		}
		if c.User.ID != p.id || c.User.Name != "Ana" || c.PasswordChanged.IsZero() || c.More || len(c.Browsers) != 1 || len(c.Sessions) != 1 || c.Sessions[0].ID != in.Session.ID {
			t.Errorf("the copy has %+v", c)
		}
		names := map[string]string{}
		for _, e := range c.Entries {
			if e.User != p.id || e.Session == his.Session.ID {
				t.Errorf("an entry of somebody else: %+v", e)
			}
			names[e.Exchange.Name] = e.Personal.IP
		}
		if len(names) != 3 || names["person.export"] != home.Addr.String() || names["signin.password"] == "" || names["user.edit"] != "" {
			t.Errorf("the copy tells %v", names)
		}
		for range 4 {
			if _, err := r.Export(t.Context(), home, in.Cookie); err != nil {
				t.Fatal(err)
			}
		}
		_, err = r.Export(t.Context(), home, in.Cookie)
		if e := refused(t, err, "export.calm"); e.RetryAfter <= 0 {
			t.Error("it does not say when again")
		}
		if _, err := r.Export(t.Context(), home, his.Cookie); err != nil {
			t.Errorf("somebody else pays for it: %v", err)
		}
		r.clock.add(10*time.Minute + time.Microsecond)
		_, err = r.Export(t.Context(), home, in.Cookie)
		refused(t, err, "session.fresh")
		if err := r.DeleteUser(t.Context(), settle.Caller{Actor: "host:0"}, p.id); err != nil {
			t.Fatal(err)
		}
		c, err = r.Export(t.Context(), home, in.Cookie)
		if refused(t, err, "session.alive"); len(c.Entries) != 0 {
			t.Error("SES-11: a copy of a deleted account")
		}
	})
}
