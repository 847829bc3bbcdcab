package cli

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// typing is a terminal at which a person has typed.
func typing(t *testing.T, what string) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	if _, err := master.WriteString(what); err != nil {
		t.Fatal(err)
	}
	return terminal
}

func TestPasswordIsTyped(t *testing.T) {
	s := newServer(t, map[string][]string{"POST /api/v1/users": {`201 {"id":"user_1","email":"a@example.com"}`}})
	runFrom(typing(t, "correct horse\n"), Programs{}, "users", "create", "--email", "a@example.com", "--password-stdin", "--data", s.data).
		want(t, exitYes, "user_1   a@example.com\n", "Password: \n")
	s.wantAsked(t, `POST /api/v1/users {"email":"a@example.com","password":"correct horse"}`)
}

func TestPeerRule(t *testing.T) {
	for _, test := range []struct {
		peer, us uint32
		trusted  bool
	}{{0, 0, true}, {0, 1000, true}, {1000, 1000, true}, {1001, 1000, false}, {1000, 0, false}, {65534, 0, false}} {
		if trusted(test.peer, test.us) != test.trusted {
			t.Errorf("user %d on a socket that user %d uses: want trusted %v", test.peer, test.us, test.trusted)
		}
	}
}

// Whoever puts a socket in the data directory gets no password: only root can
// be another user, so elsewhere the rule above is the test.
func TestStrangersSocketIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		return
	}
	data, err := os.MkdirTemp("", "dw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(data) })
	const stranger = 65534
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	// Bound by us, so that the file is ours, but listened on by the stranger.
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: filepath.Join(data, "doorward.sock")}); err != nil {
		t.Fatal(err)
	}
	listening := make(chan error)
	go func() {
		// The thread alone becomes the stranger and ends with this goroutine.
		runtime.LockOSThread()
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, stranger, stranger, stranger); errno != 0 {
			listening <- errno
			return
		}
		listening <- unix.Listen(fd, 1)
	}()
	if err := <-listening; err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "socket")
	listener, err := net.FileListener(file)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	t.Cleanup(func() { listener.Close() })
	heard := make(chan int, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		n, _ := conn.Read(make([]byte, 1))
		conn.Close()
		heard <- n
	}()
	r := run("secret password", "users", "create", "--email", "a@example.com", "--password-stdin", "--data", data)
	r.want(t, exitAllowed, "", "The socket is answered by user 65534, not by you or root.\nRun this as the server's user.\n")
	if n := <-heard; n != 0 {
		t.Error("the stranger was told something")
	}
}
