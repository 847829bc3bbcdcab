package rig

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
)

// setClock writes the clock file whole: the server never reads half of it.
func (s *Server) setClock(offset string) {
	s.t.Helper()
	if err := os.WriteFile(s.clock+".new", []byte(offset), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(s.clock+".new", s.clock); err != nil {
		s.t.Fatal(err)
	}
}

// Clock moves the server's clock to an offset from the machine's, such as
// "+16m" or "-1h", and returns when the server lives by it.
func (s *Server) Clock(offset string) {
	s.t.Helper()
	by, err := time.ParseDuration(offset)
	if err != nil {
		s.t.Fatal(err)
	}
	s.setClock(offset)
	for range 500 {
		// What is made now says what the server takes for now.
		s.moved++
		var made struct {
			Created time.Time `json:"created"`
		}
		a := s.Socket(http.MethodPost, "/api/v1/users", map[string]any{"email": fmt.Sprintf("clock-%d@rig.example", s.moved)})
		if err := json.Unmarshal(a.Body, &made); err == nil && made.Created.Sub(time.Now().Add(by)).Abs() < 20*time.Second {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("the server does not live at %s", offset)
}

// Socket asks the management API on the server's socket. A body that is not
// text is sent as JSON.
func (s *Server) Socket(method, path string, body any, headers ...string) Answer {
	s.t.Helper()
	request := s.request(method, "http://doorward"+path, body, headers)
	client := &http.Client{Timeout: 30 * time.Second, Transport: recorder{s.record, &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.Data, "doorward.sock"))
		}}}}
	return s.ask(client, request)
}

// request makes a request. A body that is neither nil nor text is sent as
// JSON; headers are names and values, and an empty value takes one away.
func (s *Server) request(method, url string, body any, headers []string) *http.Request {
	s.t.Helper()
	var content []byte
	media := ""
	switch b := body.(type) {
	case nil:
	case string:
		content = []byte(b)
	case []byte:
		content = b
	default:
		media = "application/json"
		var err error
		if content, err = json.Marshal(body); err != nil {
			s.t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(content))
	if err != nil {
		s.t.Fatal(err)
	}
	if body == nil {
		r.Body, r.GetBody, r.ContentLength = nil, nil, 0
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	set := map[string]bool{}
	for i := 0; i+1 < len(headers); i += 2 {
		name, value := http.CanonicalHeaderKey(headers[i]), headers[i+1]
		switch {
		case value == "":
			r.Header.Del(name)
		case name == "Host":
			r.Host = value
		case set[name]:
			r.Header.Add(name, value)
		default:
			r.Header.Set(name, value)
		}
		set[name] = true
	}
	return r
}
