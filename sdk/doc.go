// Package doorward guards Go handlers with the access tokens of a Doorward server.
//
//	v, err := doorward.New(ctx, "https://auth.example.com", doorward.Audience("notes-api"))
//	mux.Handle("GET /v1/notes", v.Require(doorward.Scope("notes:read"))(list))
//	who := doorward.From(r.Context())
//
// A [Verifier] checks signatures and claims here, without a call per request,
// and follows the server's revocation feed by its stream: a session that ended a
// moment ago ends here too. When the feed falls behind it asks the server about each
// token; when the server cannot be reached it goes on for five minutes and says
// so ([Identity.Stale]). What it cannot judge it answers with 503, never 401:
// nobody is signed out because a network broke.
//
// Every refusal names the check that failed ([Refusal.Check]). No option
// weakens a check, and no claim of a refused token can be read.
package doorward
