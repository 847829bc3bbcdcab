package app

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// load reads a file with an issuer in front, which must be without problems.
func load(t *testing.T, file string) Config {
	t.Helper()
	c, problems := Load([]byte("issuer = \"https://auth.example.com\"\n"+file), nil, nil)
	for _, p := range problems {
		t.Errorf("unexpected: %s", p.In("f"))
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := load(t, "")
	want := Config{
		Issuer: "https://auth.example.com", Data: "/var/lib/doorward", Listen: "127.0.0.1:8400", OpsListen: "127.0.0.1:8401",
		Database: "sqlite:///var/lib/doorward/doorward.db",
		Session:  Session{Idle: 14 * day, Max: 30 * day},
		Admin:    Admin{Idle: 15 * time.Minute, Max: 8 * time.Hour},
		Token:    Token{Access: 5 * time.Minute, RefreshIdle: 15 * day, RefreshMax: 90 * day, RefreshGrace: 10 * time.Second, Leeway: 30 * time.Second, Code: time.Minute, DPoPNonce: "optional"},
		Keys:     Keys{Alg: "ES256", RotateEvery: 90 * day, KEKFile: "/var/lib/doorward/kek"},
		SignIn:   SignIn{PasswordMin: 15},
		Limits:   Limits{Scale: 1},
		Retain:   Retain{Ledger: 90 * day, Audit: 400 * day},
		Log:      Log{Format: "text", Level: "info"},
	}
	if c.Issuer != want.Issuer || c.Data != want.Data || c.Listen != want.Listen || c.OpsListen != want.OpsListen || c.Database != want.Database ||
		c.Session != want.Session || c.Admin != want.Admin || c.Token != want.Token || c.Keys != want.Keys || c.SignIn != want.SignIn || c.Limits != want.Limits || c.Retain != want.Retain || c.Log != want.Log ||
		c.Development || c.TrustedProxies != nil || c.Mail != "" {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestLaterSourceWins(t *testing.T) {
	file := "issuer = \"https://auth.example.com\"\ndata = \"/file\"\nlisten = \"127.0.0.1:1\"\n[session]\nidle = \"1h\"\n"
	env := map[string]string{"DOORWARD_SESSION_IDLE": "2h", "DOORWARD_LISTEN": "127.0.0.1:2", "DOORWARD_DATA": "", "DOORWARD_TRUSTED_PROXIES": "127.0.0.1/32,10.0.0.0/8"}
	c, problems := Load([]byte(file), env, map[string]string{"listen": "127.0.0.1:3"})
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	want := map[string]Value{
		"issuer":          {Value: "https://auth.example.com", Source: FromFile},
		"data":            {Value: "/file", Source: FromFile}, // an empty variable is not set
		"session.idle":    {Value: "2h", Source: FromEnvironment},
		"listen":          {Value: "127.0.0.1:3", Source: FromFlag},
		"session.max":     {Value: "30d", Source: FromDefault},
		"database":        {Value: "sqlite:///file/doorward.db", Source: FromDefault},
		"trusted_proxies": {Value: "127.0.0.1/32,10.0.0.0/8", Source: FromEnvironment},
	}
	for _, v := range c.Values {
		if w, ok := want[v.Key]; ok && (v.Value != w.Value || v.Source != w.Source) {
			t.Errorf("%s: got %s from %s, want %s from %s", v.Key, v.Value, v.Source, w.Value, w.Source)
		}
		delete(want, v.Key)
	}
	if len(want) != 0 {
		t.Errorf("not shown: %v", want)
	}
	if c.Listen != "127.0.0.1:3" || c.Session.Idle != 2*time.Hour {
		t.Errorf("shown but not used: %s, %s", c.Listen, c.Session.Idle)
	}
	if !slices.Equal(c.TrustedProxies, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}) {
		t.Errorf("proxies %v", c.TrustedProxies)
	}
}

func TestFileProblemsNameTheirPlace(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"unknown key", "[session]\nilde = \"1h\"", "f:3:1: session.ilde is not a setting: did you mean session.idle?"},
		{"unknown far key", "colour = \"red\"", "f:2:1: colour is not a setting"},
		{"unknown table", "[sesion]\nidle = \"1h\"", "f:3:1: sesion.idle is not a setting: did you mean session.idle?"},
		{"unknown empty table", "[unheard]", "f:2:2: unheard is not a setting"},
		{"unknown in a line's table", "session = { ilde = \"1h\" }", "f:2:1: session.ilde is not a setting: did you mean session.idle?"},
		{"dotted", "  session.ilde = \"1h\"", "f:2:3: session.ilde is not a setting: did you mean session.idle?"},
		{"no unit", "[token]\naccess = 5", `f:3:1: token.access needs a unit: "5m" or "5s"`},
		{"no unit in quotes", "[token]\naccess = \"5\"", `f:3:1: token.access is "5": needs a unit: 5m or 5s`},
		{"unit unknown", "[token]\naccess = \"5y\"", `f:3:1: token.access is "5y": a time is written like 14d, 8h, 5m or 10s`},
		{"too short", "[token]\naccess = \"59s\"", "f:3:1: token.access is 59s: from 1m to 1h"},
		{"too long", "[token]\naccess = \"1h1s\"", "f:3:1: token.access is 1h1s: from 1m to 1h"},
		{"grace too long", "[token]\nrefresh_grace = \"31s\"", "f:3:1: token.refresh_grace is 31s: from 0s to 30s"},
		{"leeway too long", "[token]\nleeway = \"61s\"", "f:3:1: token.leeway is 61s: from 0s to 1m"},
		{"idle too long", "[session]\nidle = \"31d\"", "f:3:1: session.idle is 31d: from 5m to 30d"},
		{"max too long", "[session]\nmax = \"91d\"", "f:3:1: session.max is 91d: from 5m to 90d"},
		{"idle over max", "[session]\nidle = \"2d\"\nmax = \"1d\"", "f:3:1: session.idle is longer than session.max"},
		{"refresh over max", "[token]\nrefresh_max = \"1d\"", "token.refresh_idle is longer than token.refresh_max"},
		{"short password", "[sign_in]\npassword_min = 14", "f:3:1: sign_in.password_min is 14: from 15 to 64"},
		{"sign-up without mail", "[sign_up]\nopen = \"open\"", "f:3:1: sign_up.open needs mail: an account is made when its address is proved, and without mail none can be"},
		{"no domains", "mail = \"file:/mails\"\n[sign_up]\nopen = \"domains\"", `sign_up.domains belongs to sign_up.open = "domains", and that needs at least one`},
		{"number in quotes", "[sign_in]\npassword_min = \"15\"", "f:3:1: sign_in.password_min takes a whole number without quotes"},
		{"text without quotes", "data = 7", "f:2:1: data takes a text in quotes"},
		{"list without brackets is one item", "trusted_proxies = \"10.0.0.3\"", `f:2:1: trusted_proxies has "10.0.0.3": networks are wanted, such as 10.0.0.3/32`},
		{"trusting everybody", "trusted_proxies = [\"0.0.0.0/0\"]", `f:2:1: trusted_proxies has "0.0.0.0/0": that is everybody, and everybody could forge an address`},
		{"calling everybody", "[outbound]\nallow = [\"::/0\"]", `f:3:1: outbound.allow has "::/0": that is everybody, and then whoever names an address could reach what only this server can`},
		{"network with a host in it", "trusted_proxies = [\"10.0.0.3/8\"]", `f:2:1: trusted_proxies has "10.0.0.3/8": the network is 10.0.0.0/8`},
		{"relative data", "data = \"here\"", `f:2:1: data is "here": a path from the root is wanted, such as /var/lib/doorward`},
		{"other engine", "database = \"mysql://x/y\"", "f:2:1: database must be sqlite:///path or postgres://user@host/name"},
		{"engine options", "database = \"sqlite:///x?mode=memory\"", "f:2:1: database must be sqlite:// and a path from the root, such as sqlite:///var/lib/doorward/doorward.db"},
		{"a log for nobody", "[log]\nlevel = \"loud\"", `f:3:1: log.level is "loud": info or debug or warn or error is wanted`},
		{"public metrics", "ops_listen = \"127.0.0.1:8400\"", "f:2:1: ops_listen is the same address as listen: metrics must not be public"},
		{"listen without port", "listen = \"localhost\"", `f:2:1: listen is "localhost": host:port is wanted, such as 127.0.0.1:8400`},
		{"twice", "data = \"/a\"\ndata = \"/b\"", "f:3:1: "},
		{"no TOML", "data = ", "f:2:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := Load([]byte("issuer = \"https://auth.example.com\"\n"+test.file), nil, nil)
			if len(problems) != 1 {
				t.Fatalf("%d problems: %v", len(problems), problems)
			}
			got := problems[0].In("f")
			if !strings.HasPrefix(got, test.want) || strings.Contains(got, "\n") || !strings.HasSuffix(test.want, ":") && !strings.HasSuffix(test.want, ": ") && got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestEachProblemIsTold(t *testing.T) {
	_, problems := Load([]byte("issuer = \"ftp://x\"\n[token]\naccess = \"9h\"\n[session]\nilde = \"1h\""), nil, nil)
	if len(problems) != 3 {
		t.Errorf("want three problems, got %v", problems)
	}
}

func TestIssuer(t *testing.T) {
	for given, want := range map[string]string{
		"https://auth.example.com":           "",
		"https://auth.example.com:8443":      "",
		"https://xn--bcher-kva.example":      "",
		"http://localhost:8400":              "",
		"http://127.0.0.1:8400":              "",
		"http://[::1]:8400":                  "",
		"":                                   "is missing",
		"auth.example.com":                   "an address is wanted",
		"https:auth.example.com":             "an address is wanted",
		"ftp://auth.example.com":             "must begin with https://",
		"http://auth.example.com":            "must be https",
		"http://localhost.example.com":       "must be https",
		"http://127.0.0.2:8400":              "must be https",
		"https://auth.example.com/":          "slash",
		"https://auth.example.com/id":        "path",
		"https://auth.example.com/id/":       "path",
		"https://auth.example.com?":          "query",
		"https://auth.example.com?a=b":       "query",
		"https://auth.example.com#":          "fragment",
		"https://auth.example.com#a":         "fragment",
		"https://ana@auth.example.com":       "user",
		"https://auth.example.com@localhost": "user",
		"https://Auth.example.com":           "small letters",
		"HTTPS://auth.example.com":           "port",
		"https://auth.example.com.":          "small letters",
		"https://bücher.example":             "small letters",
		"https://auth.example.com:443":       "usual port",
		"http://localhost:80":                "usual port",
		"https://auth.example.com:":          "port",
		"https://auth.example.com:08443":     "port",
		"https://auth.example.com:70000":     "port",
		"https://auth%2eexample.com":         "an address is wanted",
		" https://auth.example.com":          "an address is wanted",
	} {
		c, problems := Load(nil, nil, map[string]string{"issuer": given})
		switch {
		case want == "" && (len(problems) != 0 || c.Issuer != given):
			t.Errorf("%s: kept as %q with %v", given, c.Issuer, problems)
		case want != "" && (len(problems) != 1 || !strings.Contains(problems[0].Says, want)):
			t.Errorf("%s: want a refusal about %q, got %v", given, want, problems)
		}
	}
}

func TestDevelopmentMode(t *testing.T) {
	for _, test := range []struct {
		issuer, listen string
		development    bool
		refused        bool
	}{
		{"http://localhost:8400", "127.0.0.1:8400", true, false},
		{"http://localhost:8400", "localhost:8400", true, false},
		{"http://[::1]:8400", "[::1]:0", true, false},
		{"http://localhost:8400", ":8400", false, true},
		{"http://localhost:8400", "0.0.0.0:8400", false, true},
		{"http://localhost:8400", "192.0.2.1:8400", false, true},
		{"https://localhost:8400", "127.0.0.1:8400", false, false},
		{"https://auth.example.com", "0.0.0.0:8400", false, false},
	} {
		c, problems := Load(nil, nil, map[string]string{"issuer": test.issuer, "listen": test.listen})
		if c.Development != test.development || (len(problems) != 0) != test.refused {
			t.Errorf("%s on %s: development %v, %v", test.issuer, test.listen, c.Development, problems)
		}
	}
}

func TestEnvironment(t *testing.T) {
	flags := map[string]string{"issuer": "https://auth.example.com"}
	_, problems := Load(nil, map[string]string{"DOORWARD_SESION_IDLE": "1h", "DOORWARD_PORT": "tcp://10.0.0.1:80", "DOORWARD_CLIENT_ID": "notes"}, flags)
	if len(problems) != 1 || problems[0].In("f") != "environment DOORWARD_SESION_IDLE is not a setting: did you mean DOORWARD_SESSION_IDLE?" {
		t.Errorf("a misspelt variable alone is refused, got %v", problems)
	}
	_, problems = Load(nil, map[string]string{"DOORWARD_TOKEN_ACCESS": "5"}, flags)
	if len(problems) != 1 || problems[0].In("f") != `environment DOORWARD_TOKEN_ACCESS: token.access is "5": needs a unit: 5m or 5s` {
		t.Errorf("got %v", problems)
	}
	_, problems = Load(nil, nil, map[string]string{"issuer": "https://auth.example.com", "ops_listen": "x"})
	if len(problems) != 1 || problems[0].In("f") != `flag --ops-listen: ops_listen is "x": host:port is wanted, such as 127.0.0.1:8400` {
		t.Errorf("got %v", problems)
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	read := func(path string) ([]byte, error) {
		if path != "/run/db" {
			return nil, errors.New("no such file")
		}
		return []byte("postgres://dw:pa55@db/dw\n"), nil
	}
	env, problems := Secrets([]string{"DOORWARD_DATABASE_FILE=/run/db", "DOORWARD_KEYS_KEK_FILE=/run/kek", "HOME=/root"}, read)
	if len(problems) != 0 || len(env) != 2 {
		t.Fatalf("%v, %v", env, problems)
	}
	c, problems := Load(nil, env, map[string]string{"issuer": "https://auth.example.com"})
	if len(problems) != 0 || c.Database != "postgres://dw:pa55@db/dw" || c.Keys.KEKFile != "/run/kek" {
		t.Errorf("%q, %q: %v", c.Database, c.Keys.KEKFile, problems)
	}
	for _, v := range c.Values {
		if strings.Contains(v.Value, "pa55") {
			t.Errorf("%s shows the password: %s", v.Key, v.Value)
		}
	}
	if _, problems := Secrets([]string{"DOORWARD_DATABASE_FILE=/nowhere"}, read); len(problems) != 1 {
		t.Errorf("a secret that cannot be read: %v", problems)
	}
	if _, problems := Secrets([]string{"DOORWARD_DATABASE_FILE=/run/db", "DOORWARD_DATABASE=sqlite:///x"}, read); len(problems) != 1 {
		t.Errorf("a secret set twice: %v", problems)
	}
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"14d", "5m", "1h30m", "0s", "5", "1m1h", "99999999999999d", "d", "-5m", "1h1h", "", "1.5h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, says := parseDuration(s)
		if says != "" {
			return
		}
		if d < 0 {
			t.Fatalf("%q is %d", s, d)
		}
		if again, says := parseDuration(formatDuration(d)); says != "" || again != d {
			t.Fatalf("%q is %s, written %q, read %s (%s)", s, d, formatDuration(d), again, says)
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add("issuer = \"https://auth.example.com\"\n[session]\nidle = \"1h\"")
	f.Add("session = { ilde = [1, {a = 2}] }\n[[token]]\naccess = 1979-05-27")
	f.Add("a.\"b.c\".d = 1\n[a.b]\n\"\" = 0")
	f.Fuzz(func(t *testing.T, file string) {
		c, problems := Load([]byte(file), nil, nil)
		if len(problems) == 0 && (c.Issuer == "" || c.Token.Access < time.Minute || c.Token.Access > time.Hour || len(c.Values) != len(settings())) {
			t.Fatalf("accepted with %+v", c)
		}
		for _, p := range problems {
			if p.Says == "" || strings.Contains(p.In("f"), "\n") {
				t.Fatalf("not one line: %q", p.In("f"))
			}
		}
	})
}
