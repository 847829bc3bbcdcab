package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsersCreate(t *testing.T) {
	made := `{"id":"user_1","email":"ana@example.com","name":"Ana","verified":true,"state":"active","created":"2026-11-22T15:02:07Z","newer":1}`
	s := newServer(t, map[string][]string{"POST /api/v1/users": {"201 " + made, "201 " + made}})
	// The password goes on as typed: only one line's end is not part of it.
	s.run(" pass word \n\r\n", "users", "create", "--email", "ana@example.com", "--name", "Ana", "--verified", "--password-stdin", "--json").
		want(t, exitYes, made+"\n", "")
	s.run("never read", "users", "create", "--email", "ana@example.com").want(t, exitYes, "user_1   ana@example.com\n", "")
	s.wantAsked(t,
		`POST /api/v1/users {"email":"ana@example.com","name":"Ana","verified":true,"password":" pass word \n"}`,
		`POST /api/v1/users {"email":"ana@example.com"}`)
}

func TestUsersCreateRefusesNoPassword(t *testing.T) {
	s := newServer(t, nil)
	s.run("\n", "users", "create", "--email", "a@example.com", "--password-stdin").want(t, exitUsage, "", "There was no password on stdin.\n")
	s.run(strings.Repeat("x", 4097), "users", "create", "--email", "a@example.com", "--password-stdin").want(t, exitUsage, "", "That is too long for a password.\n")
	s.wantAsked(t)
}

func TestUsersListReadsEveryPage(t *testing.T) {
	pages := func() map[string][]string {
		return map[string][]string{
			"GET /api/v1/users?limit=500":              {`200 {"users":[{"id":"user_1","email":"ana@example.com","state":"active","newer":1}],"next":"user_1"}`},
			"GET /api/v1/users?after=user_1&limit=500": {`200 {"users":[{"id":"user_2","email":"ben@example.com","name":"Ben\u001b[2J","verified":true,"state":"active"}]}`},
		}
	}
	newServer(t, pages()).run("", "users", "list", "--json").want(t, exitYes,
		`{"users":[{"id":"user_1","email":"ana@example.com","state":"active","newer":1},{"id":"user_2","email":"ben@example.com","name":"Ben\u001b[2J","verified":true,"state":"active"}]}`+"\n", "")
	newServer(t, pages()).run("", "users", "list").want(t, exitYes, ""+
		"ID       EMAIL             NAME      STATE    VERIFIED   CREATED\n"+
		"user_1   ana@example.com   -         active   no         -\n"+
		"user_2   ben@example.com   Ben\uFFFD[2J   active   yes        -\n", "")
	newServer(t, map[string][]string{"GET /api/v1/users?limit=500": {`200 {"users":[]}`}}).
		run("", "users", "list", "--json").want(t, exitYes, `{"users":[]}`+"\n", "")
}

func TestClientsCreateFromFlags(t *testing.T) {
	s := newServer(t, map[string][]string{"POST /api/v1/clients": {`201 {"client_id":"notes","client_secret":"dw_cs_1"}`, `201 {"client_id":"notes"}`}})
	s.run("", "clients", "create", "--name", "Notes", "--type", "web", "--redirect", "https://n.example.com/cb", "--redirect", "https://n.example.com/cb2", "--post-logout", "https://n.example.com/",
		"--scope", "openid", "--scope", "notes:read", "--auth", "client_secret_basic", "--resource", "https://api.example.com", "--origin", "https://n.example.com", "--grant", "authorization_code", "--token-format", "opaque", "--first-party").
		want(t, exitYes, "client_id       notes\nclient_secret   dw_cs_1\n", "A secret is shown only now; the server keeps a hash.\n")
	s.run("", "clients", "create", "--name", "Notes", "--type", "spa", "--json").want(t, exitYes, `{"client_id":"notes"}`+"\n", "")
	s.wantAsked(t,
		`POST /api/v1/clients {"client_name":"Notes","redirect_uris":["https://n.example.com/cb","https://n.example.com/cb2"],"post_logout_redirect_uris":["https://n.example.com/"],`+
			`"scope":"openid notes:read","token_endpoint_auth_method":"client_secret_basic","grant_types":["authorization_code"],"doorward_type":"web","doorward_first_party":true,`+
			`"doorward_resources":["https://api.example.com"],"doorward_origins":["https://n.example.com"],"doorward_token_format":"opaque"}`,
		`POST /api/v1/clients {"client_name":"Notes","doorward_type":"spa"}`)
}

// The grants whose names are long have short ones here.
func TestClientsCreateKnowsGrantsByShortNames(t *testing.T) {
	s := newServer(t, map[string][]string{"POST /api/v1/clients": {`201 {"client_id":"tv"}`}})
	s.run("", "clients", "create", "--name", "TV", "--type", "native", "--grant", "device_code", "--grant", "refresh_token", "--grant", "jwt-bearer", "--grant", "token-exchange", "--json").
		want(t, exitYes, `{"client_id":"tv"}`+"\n", "")
	s.wantAsked(t, `POST /api/v1/clients {"client_name":"TV","grant_types":["urn:ietf:params:oauth:grant-type:device_code","refresh_token",`+
		`"urn:ietf:params:oauth:grant-type:jwt-bearer","urn:ietf:params:oauth:grant-type:token-exchange"],"doorward_type":"native"}`)
}

func TestClientsCreateFromMetadata(t *testing.T) {
	metadata := `[{"client_id":"a","client_secret":"given","later_member":{"x":1}},{"client_id":"b"}]`
	s := newServer(t, map[string][]string{"POST /api/v1/clients": {"201 " + metadata, "201 " + metadata}})
	s.run(metadata+"\n", "clients", "create", "--metadata", "-", "--json").want(t, exitYes, metadata+"\n", "A secret is shown only now; the server keeps a hash.\n")
	file := filepath.Join(t.TempDir(), "clients.json")
	if err := os.WriteFile(file, []byte(metadata), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run("", "clients", "create", "--metadata", file).want(t, exitYes, "client_id       a\nclient_secret   given\nclient_id       b\n", "A secret is shown only now; the server keeps a hash.\n")
	s.wantAsked(t, "POST /api/v1/clients "+metadata, "POST /api/v1/clients "+metadata)

	for _, bad := range []string{"", "{", "7", "{} {}", `{"a":1,"a":2}`} {
		s.run(bad, "clients", "create", "--metadata", "-").want(t, exitUsage, "", "The metadata is neither a JSON object nor an array of them.\n")
	}
}

func TestClientsList(t *testing.T) {
	s := newServer(t, map[string][]string{"GET /api/v1/clients": {`200 {"clients":[{"client_id":"notes","client_name":"Notes","doorward_type":"spa","token_endpoint_auth_method":"none","scope":"openid"}]}`}})
	s.run("", "clients", "list").want(t, exitYes, ""+
		"ID      NAME    TYPE   PROVES ITSELF BY   SCOPE\n"+
		"notes   Notes   spa    none               openid\n", "")
}

func TestSessionsList(t *testing.T) {
	answer := `{"sessions":[{"id":"session_1","user":{"id":"user_1","email":"ana@example.com"},"device":"Firefox, Linux","ip":"192.0.2.1","method":"password","created":"2026-11-22T15:02:07Z","last_seen":"2026-11-22T15:04:00Z","state":"live"}]}`
	s := newServer(t, map[string][]string{
		"GET /api/v1/sessions?q=user%3Aana%40example.com+state%3Alive": {"200 " + answer},
		"GET /api/v1/sessions":        {"200 " + answer},
		"GET /api/v1/sessions?q=film": {`400 {"title":"A query has words such as user:ana@example.com.","check":"query.form"}`},
	})
	s.run("", "sessions", "list", "user:ana@example.com", "state:live", "--json").want(t, exitYes, answer+"\n", "")
	s.run("", "sessions", "list").want(t, exitYes, ""+
		"ID          USER              STATE   DEVICE           IP          METHOD     LAST SEEN\n"+
		"session_1   ana@example.com   live    Firefox, Linux   192.0.2.1   password   2026-11-22T15:04:00Z\n", "")
	s.run("", "sessions", "list", "film").want(t, exitUsage, "", "A query has words such as user:ana@example.com.\nquery.form\n")
}

func TestSessionsShow(t *testing.T) {
	answer := `{"session":{"id":"session_1","user":{"id":"user_1","email":"ana@example.com"},"device":"Firefox\u001b]0;x\u0007","ip":"192.0.2.1","method":"password",` +
		`"created":"2026-11-22T15:02:07Z","last_seen":"2026-11-22T15:04:00Z","state":"ended","ended":"2026-11-22T15:05:00Z","why":"a spent token came back"},` +
		`"exchanges":[{"id":"x1","at":"2026-11-22T15:02:07Z","exchange":"password","outcome":"accepted","ref":"7KQ2-M4","checks":[{"id":"limit.account","ok":true,"says":"The budget is not used up."},{"id":"password.match","ok":true,"says":"The password is theirs."}]},` +
		`{"id":"x2","at":"2026-11-22T15:05:00Z","exchange":"refresh","outcome":"refused","ref":"9FQ2-T2","checks":[{"id":"refresh.unspent","ok":false,"says":"The token was not used before."}]}]}`
	s := newServer(t, map[string][]string{"GET /api/v1/sessions/session_1": {"200 " + answer, "200 " + answer}, "GET /api/v1/sessions/..%2Fusers": {`404 {"title":"There is no such session."}`}})
	s.run("", "sessions", "show", "session_1").want(t, exitYes, ""+
		"session     session_1\n"+
		"user        ana@example.com user_1\n"+
		"device      Firefox\uFFFD]0;x\uFFFD\n"+
		"ip          192.0.2.1\n"+
		"method      password\n"+
		"created     2026-11-22T15:02:07Z\n"+
		"last seen   2026-11-22T15:04:00Z\n"+
		"state       ended 2026-11-22T15:05:00Z: a spent token came back\n"+
		"\n2026-11-22T15:02:07Z  password  accepted  7KQ2-M4\n"+
		"  ✓ limit.account    The budget is not used up.\n"+
		"  ✓ password.match   The password is theirs.\n"+
		"\n2026-11-22T15:05:00Z  refresh  refused  9FQ2-T2\n"+
		"  ✕ refresh.unspent   The token was not used before.\n", "")
	oneDocument(t, s.run("", "sessions", "show", "session_1", "--json").out)
	s.run("", "sessions", "show", "../users").want(t, exitNo, "", "There is no such session.\n")
}

const endPath = "POST /api/v1/sessions/end"

func TestSessionsEndAtOnce(t *testing.T) {
	s := newServer(t, map[string][]string{endPath: {`200 {"matched":2,"ended":2}`, `200 {"matched":1,"ended":1}`, `200 {"matched":0,"ended":0}`, `200 {"matched":7,"ended":0}`}})
	s.run("", "sessions", "end", "user:ana@example.com", "state:live", "--yes", "--json").want(t, exitYes, `{"matched":2,"ended":2}`+"\n", "")
	s.run("", "sessions", "end", "session_1", "--yes").want(t, exitYes, "ended 1\n", "")
	s.run("", "sessions", "end", "user:nobody@example.com", "--yes").want(t, exitYes, "ended 0\n", "")
	s.run("", "sessions", "end", "client:notes", "--dry-run").want(t, exitYes, "would end 7\n", "")
	s.wantAsked(t,
		endPath+` {"query":"user:ana@example.com state:live","dry_run":false}`,
		endPath+` {"id":"session_1","dry_run":false}`,
		endPath+` {"query":"user:nobody@example.com","dry_run":false}`,
		endPath+` {"query":"client:notes","dry_run":true}`)
}

func TestSessionsEndPartly(t *testing.T) {
	s := newServer(t, map[string][]string{endPath: {`200 {"matched":3,"ended":2}`}})
	s.run("", "sessions", "end", "client:notes", "--yes", "--json").
		want(t, exitPartly, `{"matched":3,"ended":2}`+"\n", "Ended 2 of 3 sessions.\nSay it again for the rest.\n")
}

func TestSessionsEndNeverGuesses(t *testing.T) {
	s := newServer(t, nil)
	// Without a person, a yes on stdin is no agreement.
	s.run("2\n", "sessions", "end", "user:ana@example.com").want(t, exitUsage, "", "This ends sessions and nobody is here to ask.\nAdd --yes to end them, or --dry-run to count them.\n")
	s.wantAsked(t)
}

func TestSessionsEndAsksAPerson(t *testing.T) {
	counted := `200 {"matched":312,"ended":0,"as_of":"2026-11-22T15:02:07Z","people":290,"administrators":2,"clients":[{"name":"notes","count":312},{"name":"films","count":9}],"networks":[{"name":"ipv4","count":312}]}`
	question := "This would end 312 sessions.\npeople           290\nadministrators   2\nclients          notes 312 · films 9\nnetworks         ipv4 312\nType 312 to go on: "
	// What was agreed to is what was shown: sessions that begin later stay.
	dry, wet := endPath+` {"query":"client:notes","dry_run":true}`, endPath+` {"query":"client:notes","dry_run":false,"as_of":"2026-11-22T15:02:07Z","matched":312}`

	s := newServer(t, map[string][]string{endPath: {counted, `200 {"matched":312,"ended":312}`}})
	runFrom(typing(t, "312\n"), Programs{}, "sessions", "end", "client:notes", "--data", s.data).want(t, exitYes, "ended 312\n", question)
	s.wantAsked(t, dry, wet)

	for _, typed := range []string{"\n", "y\n", "31\n", "yes\n"} {
		s := newServer(t, map[string][]string{endPath: {counted}})
		runFrom(typing(t, typed), Programs{}, "sessions", "end", "client:notes", "--data", s.data).want(t, exitNo, "", question+"Nothing was ended.\n")
		s.wantAsked(t, dry)
	}

	s = newServer(t, map[string][]string{endPath: {`200 {"matched":0,"ended":0}`}})
	runFrom(typing(t, ""), Programs{}, "sessions", "end", "client:notes", "--data", s.data).want(t, exitYes, "", "No live session matches.\n")
	s.wantAsked(t, dry)

	// --json is for programs, even on a terminal.
	s = newServer(t, nil)
	if r := runFrom(typing(t, "312\n"), Programs{}, "sessions", "end", "client:notes", "--json", "--data", s.data); r.code != exitUsage {
		t.Errorf("%+v", r)
	}
}

func TestUsersRecover(t *testing.T) {
	mailed := `{"id":"user_1","email":"ana@example.com","until":"2026-11-22T10:00:00Z"}`
	printed := `{"id":"user_1","email":"ana@example.com","until":"2026-11-22T10:00:00Z","link":"https://auth.example.com/recover/link?t=Q7"}`
	s := newServer(t, map[string][]string{"POST /api/v1/users/ana@example.com/recover": {"200 " + mailed, "200 " + printed}})
	s.run("", "users", "recover", "ana@example.com").want(t, exitYes, "e-mail   ana@example.com\nuntil    2026-11-22T10:00:00Z\n", "")
	s.run("", "users", "recover", "ana@example.com", "--print-link", "--json").want(t, exitYes, printed+"\n", "")
	s.wantAsked(t, `POST /api/v1/users/ana@example.com/recover {"print_link":false}`, `POST /api/v1/users/ana@example.com/recover {"print_link":true}`)
}
