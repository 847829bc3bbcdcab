package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
	sqlstore "github.com/doorward/doorward/internal/store/sql"
)

// A person is somebody who can sign in.
type person struct {
	ID    string `json:"id"`
	Email string `json:"email"`
}

const password = "wet gravel under the window"

// people is how many there are: enough that no address waits for its turn.
const people = 16

// api is the resource server that follows revocations.
type api struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
	page   string // the id of the application whose tokens it takes
}

const resource = "https://notes.example.com"

// populate makes people, a first-party page on the issuer's own origin, and
// the API that its tokens are for.
func populate(s *server) (all []person, a api, err error) {
	for i := range people {
		var p person
		if err := s.command(&p, password+"\n", "users", "create", "--email", fmt.Sprintf("person%02d@example.com", i), "--verified", "--password-stdin"); err != nil {
			return nil, a, err
		}
		all = append(all, p)
	}
	var page struct {
		ID string `json:"client_id"`
	}
	if err := s.command(&page, "", "clients", "create", "--name", "Notes", "--type", "spa", "--first-party",
		"--origin", s.issuer, "--resource", resource, "--scope", "account"); err != nil {
		return nil, a, err
	}
	err = s.command(&a, "", "clients", "create", "--name", "Notes API", "--type", "machine", "--resource", resource, "--scope", "revocations:read")
	a.page = page.ID
	return all, a, err
}

// A signedIn is a browser that has signed in.
type signedIn struct {
	person  person
	session string // the session's id
	cookie  string
	refresh string
	access  string
}

func credentials(p person) string {
	return fmt.Sprintf(`{"email":%q,"password":%q}`, p.Email, password)
}

// signInRequest is a person's sign-in from a page of the issuer.
func (s *server) signInRequest(p person) []byte {
	return request("POST", s.host(), "/session", credentials(p), "Content-Type: application/json", "Origin: "+s.issuer)
}

// signIn signs a person in.
func (s *server) signIn(p person) (b signedIn, err error) {
	c, err := dial(s.listen)
	if err != nil {
		return b, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if err := c.do(s.signInRequest(p)); err != nil {
		return b, err
	}
	if err := signedInAnswer(c, 201, p); err != nil {
		return b, err
	}
	var body struct {
		Access  string `json:"access_token"`
		Session struct {
			ID string `json:"id"`
		} `json:"session"`
	}
	if err := json.Unmarshal(c.body, &body); err != nil {
		return b, err
	}
	return signedIn{person: p, session: body.Session.ID, cookie: c.cookie("doorward_session"), refresh: c.cookie("doorward_refresh"), access: body.Access}, nil
}

// signedInAnswer is what a sign-in and a refresh must look like.
func signedInAnswer(c *conn, status int, p person) error {
	if err := c.expect(status, `"access_token":"eyJ`, `"token_type":"Bearer"`, `"expires_in":`, `"session":{`, p.Email); err != nil {
		return err
	}
	if c.cookie("doorward_refresh") == "" || status == 201 && c.cookie("doorward_session") == "" {
		return fmt.Errorf("a cookie is missing: %.400s", c.head)
	}
	return nil
}

// signInAll signs so many in, a few at a time.
func (s *server) signInAll(all []person, n int) ([]signedIn, error) {
	out, errs := make([]signedIn, n), make([]error, n)
	var wg sync.WaitGroup
	places := make(chan struct{}, 8)
	for i := range n {
		places <- struct{}{}
		wg.Go(func() {
			out[i], errs[i] = s.signIn(all[i%len(all)])
			<-places
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// A seed is a session that was put into the database and never asked for yet.
type seed struct {
	secret [32]byte
	person *person
}

// each is how many of the sown sessions a person has: fewer than are kept, so
// that no sign-in ends one.
const each = 24

// sow writes n sessions into the database of a server that is not running, of
// people of their own, and gives the bytes that one takes on disk.
func sow(ctx context.Context, s *server, n int) (seeds []seed, bytes float64, err error) {
	crowd := n/each + 1
	if err := fill(ctx, s, 0, crowd); err != nil {
		return nil, 0, err
	}
	before, err := size(ctx, s.database)
	if err != nil {
		return nil, 0, err
	}
	store, err := sqlstore.Open(ctx, s.database, func(err error) { panic(err) })
	if err != nil {
		return nil, 0, err
	}
	now, rev := time.Now(), store.View(ctx).Head()
	const together = 250
	for len(seeds) < n && err == nil {
		var unit core.Unit
		for range min(together, n-len(seeds)) {
			u := 1 + len(seeds)%crowd
			one := seed{secret: secret.Random(), person: &person{Email: fmt.Sprintf("p%d@example.com", u)}}
			seeds = append(seeds, one)
			unit = append(unit, session.Start{ID: session.NewID(now, secret.Random16()), User: numbered(u), Hash: session.HashOf(one.secret[:]), Rev: rev,
				Created: now, AuthTime: now, IdleUntil: now.AddDate(0, 0, 14), MaxUntil: now.AddDate(0, 0, 30), Method: "password", IP: "203.0.113.7",
				UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
		}
		_, err = store.Commit(ctx, unit)
	}
	if cerr := store.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, 0, err
	}
	after, err := size(ctx, s.database)
	return seeds, float64(after-before) / float64(max(n, 1)), err
}

func (s seed) cookie() string { return token.NewSession(s.secret) }

// size is what a database takes on disk, in bytes.
func size(ctx context.Context, database string) (n int64, err error) {
	driver, name, query := "pgx", database, `select pg_database_size(current_database())`
	if path, ok := strings.CutPrefix(database, "sqlite://"); ok {
		driver, name, query = "sqlite", "file:"+path+"?mode=ro", `select (page_count - freelist_count) * page_size from pragma_page_count, pragma_freelist_count, pragma_page_size`
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	return n, db.QueryRowContext(ctx, query).Scan(&n)
}
