package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// A conn is one kept-alive HTTP/1.1 connection. It knows as much of the
// protocol as our servers speak, so that the core that asks has less to do
// than the one that answers.
type conn struct {
	net.Conn
	r *bufio.Reader

	// The latest answer, good until the next.
	status int
	head   []byte
	body   []byte
}

func dial(addr string) (*conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, r: bufio.NewReaderSize(c, 32<<10)}, nil
}

// request is the bytes of a request. fields are whole lines, "Name: value".
func request(method, host, path, body string, fields ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, host)
	for _, f := range fields {
		b.WriteString(f + "\r\n")
	}
	if method != "GET" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return []byte(b.String())
}

// do sends a request and reads its answer.
func (c *conn) do(request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	return c.read()
}

var errUnframed = errors.New("an answer without an end")

func (c *conn) read() error {
	c.status, c.head, c.body = 0, c.head[:0], c.body[:0]
	length, chunked := -1, false
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		c.head = append(c.head, line...)
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if c.status == 0 {
			if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
				return fmt.Errorf("not an answer: %q", line)
			}
			if c.status, err = strconv.Atoi(string(line[9:12])); err != nil || c.status < 200 {
				return fmt.Errorf("not a final answer: %q", line)
			}
			continue
		}
		if v, ok := value(line, "Content-Length"); ok {
			if length, err = strconv.Atoi(string(v)); err != nil || length < 0 {
				return fmt.Errorf("not a length: %q", line)
			}
		} else if _, ok := value(line, "Transfer-Encoding"); ok {
			chunked = true
		} else if v, ok := value(line, "Connection"); ok && string(v) == "close" {
			return fmt.Errorf("the server closes the connection after status %d", c.status)
		}
	}
	switch {
	case c.status == 0:
		return errors.New("an answer without a status")
	case chunked:
		return c.chunks()
	case length >= 0:
		return c.take(length)
	case c.status == 204 || c.status == 304: // RFC 9112 section 6.3
		return nil
	}
	return errUnframed
}

// take reads so many bytes more of the body.
func (c *conn) take(n int) error {
	at := len(c.body)
	if n > 1<<20 {
		return fmt.Errorf("a body of %d bytes", n)
	}
	if need := at + n; cap(c.body) < need {
		c.body = append(make([]byte, 0, 2*need), c.body...)
	}
	c.body = c.body[:at+n]
	_, err := io.ReadFull(c.r, c.body[at:])
	return err
}

// chunks reads a chunked body (RFC 9112 section 7.1) without trailers.
func (c *conn) chunks() error {
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(bytes.TrimRight(line, "\r\n")), 16, 20)
		if err != nil {
			return fmt.Errorf("not a chunk: %q", line)
		}
		if err := c.take(int(n)); err != nil {
			return err
		}
		if end, err := c.r.ReadSlice('\n'); err != nil || len(bytes.TrimRight(end, "\r\n")) > 0 {
			return errUnframed
		}
		if n == 0 {
			return nil
		}
	}
}

// value is that of a line of the head, when the line has this name.
func value(line []byte, name string) ([]byte, bool) {
	if len(line) <= len(name) || line[len(name)] != ':' || !bytes.EqualFold(line[:len(name)], []byte(name)) {
		return nil, false
	}
	return bytes.TrimSpace(line[len(name)+1:]), true
}

// cookie is the value that the latest answer sets for a cookie; "" for none.
func (c *conn) cookie(name string) string {
	for line := range bytes.Lines(c.head) {
		v, ok := value(line, "Set-Cookie")
		if !ok || !bytes.HasPrefix(v, []byte(name+"=")) {
			continue
		}
		v, _, _ = bytes.Cut(v[len(name)+1:], []byte(";"))
		return string(v)
	}
	return ""
}

// expect says what is wrong with the latest answer: another status, or a body
// that lacks one of its parts.
func (c *conn) expect(status int, parts ...string) error {
	if c.status != status {
		return fmt.Errorf("status %d instead of %d: %.300s", c.status, status, c.body)
	}
	for _, p := range parts {
		if !bytes.Contains(c.body, []byte(p)) {
			return fmt.Errorf("no %s in %.300s", p, c.body)
		}
	}
	return nil
}
