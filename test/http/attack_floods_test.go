package http_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/doorward/doorward/test/rig"
)

// Attack DOS-02: a flood of sign-ins is bounded, and those who are signed in
// notice nothing of it. Passwords that no one has are not hashed at all.
func TestAFloodOfSignInsHarmsNobody(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		c := setScene(t, engine)
		var mu sync.Mutex
		seen := map[int]int{}
		var flood sync.WaitGroup
		for i := range 500 {
			flood.Go(func() {
				a := c.Browser().Try("POST", "/session", map[string]string{"email": fmt.Sprintf("flood%d@example.com", i), "password": "a wrong guess of many"})
				mu.Lock()
				defer mu.Unlock()
				seen[a.Status]++
				if a.Status == 503 {
					if r := a.Refusal(t); a.Header.Get("Retry-After") == "" || r.Check != "password.capacity" && r.Check != "server.available" {
						t.Errorf("an answer of the flood: %v %s", a.Header, a.Body)
					}
				}
			})
		}
		for range 50 {
			c.here.Do("GET", "/session", nil).Want(t, 200)
			c.Bearer("GET", "/session", c.here.Access).Want(t, 200)
			c.here.Refresh().Want(t, 200)
		}
		flood.Wait()
		if seen[401]+seen[503] != 500 || seen[401] == 0 {
			t.Errorf("the flood was answered %v", seen)
		}
		t.Logf("%s: %v", engine, seen)
		for name, long := range map[string]struct {
			password string
			status   int
		}{"1025 bytes": {strings.Repeat("a", 1025), 401}, "1200 bytes of two each": {strings.Repeat("ä", 600), 401}, "a megabyte": {strings.Repeat("a", 1<<20), 413}} {
			wantClear(t, "a password of "+name, c.Browser().Do("POST", "/session", map[string]string{"email": c.ana.Email, "password": long.password}), long.status)
		}
		c.intact(t)
	})
}

// endless sends a beginning and then the same again until the server stops
// reading, and gives the answer.
func endless(t *testing.T, s *rig.Server, beginning, more string, most int) (status int, sent int) {
	t.Helper()
	c, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	done := make(chan int, 1)
	go func() {
		n, _ := io.WriteString(c, strings.ReplaceAll(beginning, "{HOST}", strings.TrimPrefix(s.URL, "http://")))
		for n < most {
			m, err := io.WriteString(c, more)
			if n += m; err != nil {
				break
			}
		}
		done <- n
	}()
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err == nil {
		status = r.StatusCode
		r.Body.Close()
	}
	c.Close()
	return status, <-done
}

// Attacks DOS-04 and DOS-05: what has no end is cut early, what is costly to
// read is not read, and others are served meanwhile.
func TestEndlessRequestsAreCut(t *testing.T) {
	c := setScene(t, rig.SQLite)
	head := " HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 32<<10, strings.Repeat(" ", 32<<10))
	many := func(s string, bytes int) string { return strings.Repeat(s, bytes/len(s)) }
	for name, e := range map[string]struct {
		beginning, more string
		most            int
	}{
		"a body of a gigabyte in chunks":      {"POST /session" + head + "Transfer-Encoding: chunked\r\n\r\n", chunk, 1 << 30},
		"a body that says it is a gigabyte":   {"POST /session" + head + "Content-Length: 1073741824\r\n\r\n", many(" ", 64<<10), 1 << 30},
		"a form of a gigabyte":                {"POST /sign-in HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n", chunk, 1 << 30},
		"headers without end":                 {"GET /session" + head, many("X: y\r\n", 60<<10), 1 << 28},
		"a hundred thousand cookies":          {"GET /session" + head + "Cookie: a=b", many("; a=b", 60<<10), 1 << 28},
		"a million parameters":                {"GET /session?", many("a=b&", 60<<10), 1 << 28},
		"a trailer without end":               {"POST /session" + head + "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\n{}\r\n0\r\n", many("X: y\r\n", 60<<10), 1 << 28},
		"a chunk extension without end":       {"POST /session" + head + "Transfer-Encoding: chunked\r\n\r\n2;", many("a=b;", 60<<10), 1 << 28},
		"the preface of HTTP/2 (rapid reset)": {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08", 1 << 24},
	} {
		status, sent := endless(t, c.Server, e.beginning, e.more, e.most)
		if status >= 200 && status < 400 || status >= 500 && status != 505 && status != 501 {
			t.Errorf("%s is answered %d", name, status)
		}
		if sent > 16<<20 {
			t.Errorf("%s: the server read %d MB of it", name, sent>>20)
		}
	}
	for name, headers := range map[string][]string{
		"Accept-Language":      {"Accept-Language", many("en-US-x-aaaaaaaa;q=0.1,", 12<<10)},
		"long language tags":   {"Accept-Language", many("a-", 12<<10)},
		"RFC 2047 words":       {"Content-Type", many("=?utf-8?q?=41?= ", 12<<10)},
		"RFC 2231 parameters":  {"Content-Type", "application/json" + many("; a*0*=x", 12<<10)},
		"media parameters":     {"Content-Type", "application/json; " + many("\\\"", 12<<10)},
		"a user agent":         {"User-Agent", many("Mozilla/5.0 (", 12<<10)},
		"forwarded hops":       {"X-Forwarded-For", many("1.1.1.1,", 12<<10)},
		"Forwarded":            {"Forwarded", many("for=1.1.1.1;", 12<<10)},
		"an odd Authorization": {"Authorization", "Basic " + many("A", 12<<10)},
		"fetch metadata":       {"Sec-Fetch-Site", many("none,", 12<<10)},
		"If-None-Match":        {"If-None-Match", many(`"a",`, 12<<10)},
		"Range":                {"Range", "bytes=" + many("0-1,", 12<<10)},
		"Accept-Encoding":      {"Accept-Encoding", many("gzip;q=0.1,", 12<<10)},
	} {
		for _, at := range []string{"GET /session", "POST /session", "GET /sign-in", "POST /sign-in", "GET /revocations", "GET /sdk/doorward.js"} {
			method, path, _ := strings.Cut(at, " ")
			body := any(nil)
			if method == "POST" {
				body = `{"email":"nobody@example.com","password":"x"}`
			}
			if a := c.Browser().Do(method, path, body, headers...); a.Status >= 500 {
				t.Errorf("%s at %s is answered %d %s", name, at, a.Status, a.Body)
			}
		}
	}
	c.intact(t)
}
