package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sys/unix"
)

// An answer larger than this is no answer of ours.
const largestAnswer = 64 << 20

// call asks the server on this host and reads its answer into out. It returns
// the answer as it came too, so that --json hides nothing newer than this
// program. An error is a *failure.
func (r *root) call(ctx context.Context, method, path string, query url.Values, body, out any) (jsontext.Value, error) {
	var document []byte
	if body != nil {
		var err error
		if document, err = json.Marshal(body); err != nil {
			return nil, &failure{Title: "The request cannot be written.", Detail: err.Error(), exit: exitUsage}
		}
	}
	return r.send(ctx, method, path, query, "application/json", document, out)
}

// send is call for a body that is written already, in a media type.
func (r *root) send(ctx context.Context, method, path string, query url.Values, media string, body []byte, out any) (jsontext.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	content, err := r.open(ctx, method, path, query, media, body)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	answer, err := io.ReadAll(io.LimitReader(content, largestAnswer))
	if err != nil {
		return nil, &failure{Title: "The server's answer was lost.", Detail: err.Error(), exit: exitReach}
	}
	if len(answer) == 0 { // 204
		return nil, nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return nil, &failure{Title: "The server's answer cannot be read.", Detail: err.Error(), exit: exitNo}
	}
	return answer, nil
}

// open asks the server and gives what it answers, as it comes.
func (r *root) open(ctx context.Context, method, path string, query url.Values, media string, body []byte) (io.ReadCloser, error) {
	// The name is never looked up: dial knows one way only.
	address := "http://doorward" + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return nil, &failure{Title: "The request cannot be written.", Detail: err.Error(), exit: exitUsage}
	}
	request.Header.Set("Accept", "application/json, application/jsonl")
	if body != nil {
		request.Header.Set("Content-Type", media)
	}
	response, err := (&http.Client{Transport: &http.Transport{DialContext: r.dial, DisableKeepAlives: true}}).Do(request)
	if err != nil {
		if f, ok := errors.AsType[*failure](err); ok {
			return nil, f
		}
		return nil, &failure{Title: "The server's answer was lost.", Detail: err.Error(), exit: exitReach}
	}
	if response.StatusCode/100 != 2 {
		answer, _ := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
		response.Body.Close()
		return nil, refusal(response.StatusCode, answer)
	}
	return response.Body, nil
}

// lines calls each for every line of an answer, as it comes, until each
// returns an error. One that was cut short is a failure.
func (r *root) lines(ctx context.Context, path string, query url.Values, each func(line []byte) error) error {
	content, err := r.open(ctx, http.MethodGet, path, query, "", nil)
	if err != nil {
		return err
	}
	defer content.Close()
	in := bufio.NewScanner(content)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		if err := each(in.Bytes()); err != nil {
			return err
		}
	}
	if err := in.Err(); err != nil && ctx.Err() == nil {
		return &failure{Title: "The server's answer was cut short.", Detail: err.Error(), exit: exitReach}
	}
	return nil
}

// dial connects to the server's socket and proves who listens there.
func (r *root) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	path := r.socket()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, &failure{Title: "You may not use " + path + ".", Detail: "Run this as the server's user or as root.", exit: exitAllowed}
	case err != nil:
		return nil, &failure{Title: "No server answers at " + path + ".", Detail: "Start it with doorward serve, or name its directory with --data or DOORWARD_DATA.", exit: exitReach}
	}
	if f := checkPeer(conn.(*net.UnixConn)); f != nil {
		conn.Close()
		return nil, f
	}
	return conn, nil
}

func (r *root) socket() string {
	data := r.data
	if data == "" {
		data = os.Getenv("DOORWARD_DATA")
	}
	if data == "" {
		data = "/var/lib/doorward"
	}
	return filepath.Join(data, "doorward.sock")
}

// checkPeer refuses a listener that is neither ours nor root's: in a directory
// that others can write, anyone could wait there for passwords. The kernel
// says who called listen (unix(7), SO_PEERCRED); the file's owner proves nothing.
func checkPeer(conn *net.UnixConn) *failure {
	var peer *unix.Ucred
	raw, err := conn.SyscallConn()
	if err == nil {
		controlled := raw.Control(func(fd uintptr) {
			peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		})
		err = errors.Join(controlled, err)
	}
	if err != nil {
		return &failure{Title: "Who answers on the socket cannot be known.", Detail: err.Error(), exit: exitAllowed}
	}
	if !trusted(peer.Uid, uint32(os.Geteuid())) {
		return &failure{Title: fmt.Sprintf("The socket is answered by user %d, not by you or root.", peer.Uid), Detail: "Run this as the server's user.", exit: exitAllowed}
	}
	return nil
}

func trusted(peer, us uint32) bool { return peer == us || peer == 0 }
