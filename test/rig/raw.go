package rig

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Raw sends bytes as they are on a connection of their own and reads one
// answer. {HOST} stands for the server's host.
func (s *Server) Raw(text string) Answer {
	c, err := net.DialTimeout("tcp", s.Address(), 5*time.Second)
	if err != nil {
		return Answer{Err: err}
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	go io.WriteString(c, strings.ReplaceAll(text, "{HOST}", strings.TrimPrefix(s.URL, "http://")))
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return Answer{Err: err, Header: http.Header{}}
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	s.record.heard("raw", body)
	return Answer{Status: r.StatusCode, Header: r.Header, Body: body, Err: err}
}
