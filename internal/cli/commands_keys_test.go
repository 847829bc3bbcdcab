package cli

import "testing"

func TestKeys(t *testing.T) {
	page := `{"keys":[{"purpose":"signing","kid":"k1","alg":"ES256","state":"previous","created":"c","since":"s1","until":"u1"},` +
		`{"purpose":"signing","kid":"k2","alg":"EdDSA","state":"current","created":"c","since":"s2","newer":1}]}`
	table := "PURPOSE   KID   ALG     STATE      SINCE   UNTIL\n" +
		"signing   k1    ES256   previous   s1      u1\n" +
		"signing   k2    EdDSA   current    s2      -\n"
	s := newServer(t, map[string][]string{
		"GET /api/v1/keys":             {"200 " + page, "200 " + page},
		"POST /api/v1/keys/rotate":     {"200 " + page, "200 " + page, `409 {"title":"Four.","check":"key.room","ref":"R"}`},
		"POST /api/v1/keys/retire":     {"200 " + page, "200 " + page, `404 {"title":"None.","check":"key.found","ref":"R"}`},
		"POST /api/v1/keys/rotate-kek": {`200 {"resealed":7}`, `200 {"resealed":7}`},
	})
	s.run("", "keys", "list").want(t, exitYes, table, "")
	s.run("", "keys", "list", "--json").want(t, exitYes, page+"\n", "")
	s.run("", "keys", "rotate").want(t, exitYes, table, "")
	s.run("", "keys", "rotate", "--now", "--purpose", "refresh", "--json").want(t, exitYes, page+"\n", "")
	s.run("", "keys", "rotate").want(t, exitConflict, "", "Four.\nkey.room · R\n")
	s.run("", "keys", "retire", "k1").want(t, exitYes, table, "")
	s.run("", "keys", "retire", "k2", "--compromised", "--json").want(t, exitYes, page+"\n", "")
	s.run("", "keys", "retire", "k3").want(t, exitNo, "", "None.\nkey.found · R\n")
	s.run("", "keys", "rotate-kek").want(t, exitYes, "resealed 7 keys\n", "")
	s.run("", "keys", "rotate-kek", "--json").want(t, exitYes, `{"resealed":7}`+"\n", "")
	s.wantAsked(t,
		"GET /api/v1/keys", "GET /api/v1/keys",
		`POST /api/v1/keys/rotate {"purpose":"signing","now":false}`, `POST /api/v1/keys/rotate {"purpose":"refresh","now":true}`, `POST /api/v1/keys/rotate {"purpose":"signing","now":false}`,
		`POST /api/v1/keys/retire {"kid":"k1","compromised":false}`, `POST /api/v1/keys/retire {"kid":"k2","compromised":true}`, `POST /api/v1/keys/retire {"kid":"k3","compromised":false}`,
		"POST /api/v1/keys/rotate-kek {}", "POST /api/v1/keys/rotate-kek {}")
	s.run("", "keys", "retire").want(t, exitUsage, "", "accepts 1 arg(s), received 0\nSee doorward keys retire --help\n")
}
