package cli

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

const verifyPath = "POST /api/v1/tokens/verify"

func jwtOf(header, claims string) string {
	b := base64.RawURLEncoding
	return b.EncodeToString([]byte(header)) + "." + b.EncodeToString([]byte(claims)) + ".c2VjcmV0LXNpZ25hdHVyZQ"
}

// wireOf is a text of the form of one of our tokens.
func wireOf(prefix string, n int) string {
	raw := append([]byte{1, 0xab, 0xcd, 0xef, 0x01}, make([]byte, 16)...)
	raw = binary.BigEndian.AppendUint32(raw, 7)
	raw = append(raw, []byte(strings.Repeat("s", n))...)
	return prefix + base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(raw)))
}

// What a token says of itself is said to be unverified first, and nothing of
// it that could be used is printed.
func TestTokensInspect(t *testing.T) {
	s := newServer(t, nil)
	jwt := jwtOf(`{"alg":"ES256","kid":"k1","typ":"at+jwt"}`, `{"sub":"user_1","exp":1795428000,"aud":["orders"],"name":"a\u001bb"}`)
	r := s.run(jwt+"\n", "tokens", "inspect")
	r.want(t, exitYes, ""+
		"UNVERIFIED  jwt: nobody has checked who made it, or whether it still counts\n\n"+
		"header\n  alg   \"ES256\"\n  kid   \"k1\"\n  typ   \"at+jwt\"\n"+
		"claims\n  aud    [\"orders\"]\n  exp    1795428000  2026-11-23T10:00:00Z\n  name   \"a\\u001bb\"\n  sub    \"user_1\"\n", "")
	r = s.run(jwt, "tokens", "inspect", "-", "--json")
	var out map[string]any
	if err := json.Unmarshal(oneDocument(t, r.out), &out); err != nil || out["verified"] != false || out["kind"] != "jwt" || strings.Contains(r.out, "c2VjcmV0") {
		t.Errorf("%v, %v", out, err)
	}
	for prefix, kind := range map[string]string{"dw_at_": "opaque", "dw_rt_": "refresh", "dw_st_": "session"} {
		r := s.run(wireOf(prefix, 40)+"\n", "tokens", "inspect")
		if r.code != exitYes || !strings.HasPrefix(r.out, "UNVERIFIED  "+kind) || strings.Contains(r.out, "ssss") || strings.Contains(r.out, "c3Nz") {
			t.Errorf("%s: %+v", kind, r)
		}
		if (kind == "refresh") != strings.Contains(r.out, "generation   7") {
			t.Errorf("%s: %s", kind, r.out)
		}
	}
	for _, bad := range []string{"junk", "a.b.c", "..", wireOf("dw_at_", 40) + "A", wireOf("dw_at_", 40)[:30], "dw_at_", "dw_xx_AAAA", jwt + ".x", jwtOf("[]", "{}")} {
		s.run(bad, "tokens", "inspect").want(t, exitNo, "", "This is no token: it is cut, changed, or something else.\n")
	}
	s.run("", "tokens", "inspect").want(t, exitUsage, "", "There was nothing on stdin.\n")
	s.wantAsked(t)
}

// A token is never taken from the command line, and never repeated.
func TestTokensStayOutOfTheHistory(t *testing.T) {
	s := newServer(t, nil)
	token := jwtOf(`{"alg":"ES256"}`, `{"sub":"x"}`)
	for command, args := range map[string][]string{"inspect": {"tokens", "inspect", token}, "verify": {"tokens", "verify", token}, "revoke": {"tokens", "revoke", token}, "explain": {"explain", token}} {
		r := s.run("", args...)
		if r.code != exitUsage || strings.Contains(r.out+r.errors, token) || !strings.Contains(r.errors, "doorward "+command+" < token") {
			t.Errorf("%+v", r)
		}
	}
	s.wantAsked(t)
}

func TestTokensVerify(t *testing.T) {
	good := `{"kind":"opaque","verdict":"good","checks":[{"id":"token.form","ok":true,"says":"It has the form."}],"claims":{"iss":"i","aud":["orders","notes"],"exp":"2026-11-22T15:07:07Z","jti":"at_1","scope":"a b","kid":"k1"},` +
		`"user":"user_1","email":"ana@example.com","session":"ses_1","client_id":"notes","seen":{"at":"2026-11-22T15:02:07Z","exchange":"refresh","outcome":"passed"},"story":"doorward sessions show ses_1"}`
	bad := `{"kind":"jwt","verdict":"refused","check":"token.signature","checks":[{"id":"token.form","ok":true,"says":"It has the form."},{"id":"token.signature","ok":false,"says":"It is ours."}],` +
		`"not_reached":[{"id":"token.in_time","says":"It is in time."},{"id":"token.alive","would":"fail","says":"It lives."}],"why":"It is not ours.","fix":"Ask another."}`
	s := newServer(t, map[string][]string{verifyPath: {"200 " + good, "200 " + bad, "200 " + bad, "200 " + good}})
	s.run("dw_at_x\n", "tokens", "verify", "--audience", "orders").want(t, exitYes, ""+
		"Access token (opaque) at_1  ana@example.com (user_1)  by app notes   GOOD\n\n"+
		"  ✓ token.form   It has the form.\n\n"+
		"For    orders, notes\nScope  a b\nUntil  2026-11-22T15:07:07Z\nKey    k1\nSeen   2026-11-22T15:02:07Z, refresh passed\nStory  doorward sessions show ses_1\n", "")
	shown := "UNVERIFIED  Access token   REFUSED  token.signature\n\n" +
		"  ✓ token.form        It has the form.\n  ✕ token.signature   It is ours.\n  · token.in_time     not reached\n  · token.alive       not reached; would fail\n\n" +
		"Why    It is not ours.\nFix    Ask another.\n"
	s.run("a.b.c", "tokens", "verify").want(t, exitNo, shown, "The token is not good.\ntoken.signature\n")
	r := s.run("a.b.c", "tokens", "verify", "--json")
	if r.code != exitNo {
		t.Errorf("exit %d", r.code)
	}
	oneDocument(t, r.out)
	// To explain a token is not to ask whether it is good.
	s.run("dw_at_x", "explain", "-", "--json").want(t, exitYes, good+"\n", "")
	s.wantAsked(t, verifyPath+` {"token":"dw_at_x","audience":"orders"}`, verifyPath+` {"token":"a.b.c"}`, verifyPath+` {"token":"a.b.c"}`, verifyPath+` {"token":"dw_at_x"}`)
}

func TestExplainNamed(t *testing.T) {
	refusal := `{"kind":"refusal","verdict":"refused","check":"refresh.unspent","id":"led_1","at":"2026-11-22T15:02:07Z","exchange":"refresh","outcome":"refused","ref":"7KQ2-M4",` +
		`"checks":[{"id":"refresh.unspent","ok":false,"says":"It is unspent.","detail":"3"}],"why":"It was used twice.","session":"ses_1","story":"doorward sessions show ses_1"}`
	s := newServer(t, map[string][]string{"GET /api/v1/explain/7KQ2-M4": {"200 " + refusal, "200 " + refusal}, "GET /api/v1/explain/ses_1": {`200 {"kind":"session","verdict":"good","checks":[],"session":"ses_1"}`},
		"GET /api/v1/explain/..%2Fusers": {`404 {"title":"Nothing in the ledger has this reference."}`}})
	shown := "refresh  2026-11-22T15:02:07Z  7KQ2-M4   REFUSED  refresh.unspent\n\n  ✕ refresh.unspent   It is unspent. 3\n\nWhy    It was used twice.\nStory  doorward sessions show ses_1\n"
	s.run("", "explain", "7KQ2-M4").want(t, exitYes, shown, "")
	s.run("7KQ2-M4\n", "explain").want(t, exitYes, shown, "")
	s.run("", "explain", "ses_1").want(t, exitYes, "Session ses_1   GOOD\n\n\n", "")
	s.run("", "explain", "../users").want(t, exitNo, "", "Nothing in the ledger has this reference.\n")
}

func TestTokensRevoke(t *testing.T) {
	const path = "POST /api/v1/tokens/revoke"
	s := newServer(t, map[string][]string{path: {`200 {"kind":"opaque","jti":"at_1","session":"ses_1","already":false}`, `200 {"kind":"session","session":"ses_1","already":true}`,
		`422 {"title":"The access token is not ours.","check":"token.signature","ref":"7KQ2-M4"}`}})
	s.run("dw_at_x", "tokens", "revoke").want(t, exitYes, "revoked\nkind      opaque\ntoken     at_1\nsession   ses_1\n", "")
	s.run("dw_st_x", "tokens", "revoke").want(t, exitYes, "had ended before\nkind      session\nsession   ses_1\n", "")
	s.run("x", "tokens", "revoke").want(t, exitNo, "", "The access token is not ours.\ntoken.signature · 7KQ2-M4\n")
	s.wantAsked(t, path+` {"token":"dw_at_x"}`, path+` {"token":"dw_st_x"}`, path+` {"token":"x"}`)
}

func FuzzInspect(f *testing.F) {
	for _, s := range []string{"", "a.b.c", jwtOf(`{"alg":"none"}`, `{"exp":1e99}`), wireOf("dw_rt_", 40), wireOf("dw_st_", 1), "dw_at_AAAAAAAAAAAAAAAA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in, ok := inspect(text)
		if !ok {
			return
		}
		if in.Verified {
			t.Error("it says that it is verified")
		}
		var out strings.Builder
		showInspected(&out, in)
		if !strings.HasPrefix(out.String(), "UNVERIFIED") {
			t.Errorf("%q", out.String())
		}
	})
}
