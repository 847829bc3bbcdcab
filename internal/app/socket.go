package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/doorward/doorward/internal/edge/api"
)

// Socket is the name of the local socket in the data directory.
const Socket = "doorward.sock"

// openSocket listens on the data directory's socket, for its owner alone.
func openSocket(data string) (net.Listener, error) {
	name := filepath.Join(data, Socket)
	if c, err := net.Dial("unix", name); err == nil {
		c.Close()
		return nil, fmt.Errorf("another server is running on %s", data)
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	// The socket must not be open to others even for the moment before chmod.
	old := syscall.Umask(0o177)
	l, err := net.Listen("unix", name)
	syscall.Umask(old)
	return l, err
}

// actor reads from the kernel who is at the other end, and lets in only the
// server's own user and root: the host is the root of administration.
func actor(ctx context.Context, c net.Conn) context.Context {
	uid, err := peer(c)
	if err != nil || uid != 0 && uid != os.Getuid() {
		return ctx
	}
	return api.WithActor(ctx, fmt.Sprintf("host:%d", uid))
}

func peer(c net.Conn) (uid int, err error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0, errors.New("not a local socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	if cerr := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); cerr != nil || err != nil {
		return 0, errors.Join(cerr, err)
	}
	return int(cred.Uid), nil
}

func (s *server) socketServer() *http.Server {
	h := s.httpServer(s.local())
	h.ConnContext = actor
	return h
}
