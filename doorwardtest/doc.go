// Package doorwardtest is for the tests of apps that use Doorward.
//
// A handler behind the SDK needs tokens. [Token] and [Verifier] make them and
// judge them without a server or a network, by the same checks:
//
//	v := doorwardtest.Verifier(t, "notes-api")
//	h := v.Require(doorward.Scope("notes:read"))(notes)
//	r.Header.Set("Authorization", "Bearer "+doorwardtest.Token(t, doorwardtest.As("ana"), doorwardtest.Scope("notes:read")))
//
// What needs sign-in, refresh, sign-out, mails or the passing of time gets a
// whole server in the test's own process, on SQLite in a directory of the
// test's, with a clock that moves only when the test says so:
//
//	s := doorwardtest.Start(t)
//	s.Client(t, doorwardtest.Client{ID: "notes", Origins: []string{"https://notes.example.com"}, Resources: []string{"notes-api"}, Scopes: []string{"notes:read"}})
//	ana := s.User(t, "ana@example.com", "four lamps on a hill")
//	tokens := s.SignIn(t, ana, "https://notes.example.com")
//	s.End(t, tokens.Session) // every verifier of s knows when this returns
//	s.Clock.Advance(time.Hour)
//
// Both are for tests alone: the limits that protect people are a thousand times
// wider, and everything is gone when the test ends.
package doorwardtest
