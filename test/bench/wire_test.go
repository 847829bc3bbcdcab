package main

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
)

// heard is a connection on which these answers have come.
func heard(answers string) *conn {
	return &conn{r: bufio.NewReaderSize(strings.NewReader(answers), 32<<10)}
}

func TestAnswersAreReadOneAfterAnother(t *testing.T) {
	c := heard("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: ab=2; Path=/\r\n\r\nhello" +
		"HTTP/1.1 204 No Content\r\n\r\n" +
		"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwho\r\nA\r\n are you? \r\n0\r\n\r\n" +
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	for _, want := range []struct {
		status int
		body   string
	}{{200, "hello"}, {204, ""}, {401, "who are you? "}, {200, ""}} {
		if err := c.read(); err != nil {
			t.Fatal(err)
		}
		if c.status != want.status || string(c.body) != want.body {
			t.Fatalf("%d %q instead of %d %q", c.status, c.body, want.status, want.body)
		}
		if want.body == "hello" && (c.cookie("a") != "1" || c.cookie("ab") != "2" || c.cookie("b") != "") {
			t.Errorf("cookies %q %q %q", c.cookie("a"), c.cookie("ab"), c.cookie("b"))
		}
	}
	if err := c.read(); err != io.EOF {
		t.Errorf("after the last answer: %v", err)
	}
}

func TestBrokenAnswersAreErrors(t *testing.T) {
	for name, answer := range map[string]string{
		"not HTTP":        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
		"no status":       "\r\n",
		"an interim one":  "HTTP/1.1 100 Continue\r\n\r\n",
		"no end":          "HTTP/1.1 200 OK\r\n\r\nhello",
		"a bad length":    "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
		"too short":       "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
		"huge":            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nhello",
		"a bad chunk":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n",
		"no end of chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
		"the last one":    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
	} {
		if err := heard(answer).read(); err == nil {
			t.Errorf("%s: read as an answer", name)
		}
	}
}

func TestExpectSeesStatusAndParts(t *testing.T) {
	c := heard("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"name\":\"ana\"")
	if err := c.read(); err != nil {
		t.Fatal(err)
	}
	if err := c.expect(200, `"name"`, "ana"); err != nil {
		t.Error(err)
	}
	if c.expect(201, "ana") == nil || c.expect(200, "ana", "ben") == nil {
		t.Error("a wrong status or a missing part was not seen")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		c := heard(string(answer))
		if c.read() == nil && (c.status < 200 || len(c.body) > len(answer) || !bytes.HasPrefix(answer, c.head)) {
			t.Errorf("%d, a head of %d and a body of %d bytes from %d", c.status, len(c.head), len(c.body), len(answer))
		}
	})
}
