package cli

import (
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
	request, err := r.request(ctx, method, path, query, body)
	if err != nil {
		return nil, err
	}
	server := &http.Client{Transport: &http.Transport{DialContext: r.dial, DisableKeepAlives: true}, Timeout: 10 * time.Minute}
	response, err := server.Do(request)
	if err != nil {
		if f, ok := errors.AsType[*failure](err); ok {
			return nil, f
		}
		return nil, &failure{Title: "The server's answer was lost.", Detail: err.Error(), exit: exitReach}
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	if err != nil {
		return nil, &failure{Title: "The server's answer was lost.", Detail: err.Error(), exit: exitReach}
	}
	if response.StatusCode/100 != 2 {
		return nil, refusal(response.StatusCode, answer)
	}
	if response.StatusCode == http.StatusNoContent {
		return nil, nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return nil, &failure{Title: "The server's answer cannot be read.", Detail: err.Error(), exit: exitNo}
	}
	return answer, nil
}

func (r *root) request(ctx context.Context, method, path string, query url.Values, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		document, err := json.Marshal(body)
		if err != nil {
			return nil, &failure{Title: "The request cannot be written.", Detail: err.Error(), exit: exitUsage}
		}
		content = bytes.NewReader(document)
	}
	// The name is never looked up: dial knows one way only.
	address := "http://doorward" + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return nil, &failure{Title: "The request cannot be written.", Detail: err.Error(), exit: exitUsage}
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
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
