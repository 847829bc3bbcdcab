package postgres

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/doorward/doorward/internal/base/secret"
)

// A cluster is a running server and the directory that holds all of it.
type cluster struct {
	dir     string
	url     string
	process *os.Process
	ended   chan struct{}
}

// start makes a cluster and returns when it takes connections. Everything is
// as in production but initdb's own sync: what tests write later reaches the
// disk (fsync stays on), what initdb wrote nobody needs after a crash.
func start() (*cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "doorward-postgres-")
	if err != nil {
		return nil, err
	}
	c, err := startIn(dir, bin, who)
	if err != nil {
		os.RemoveAll(dir)
	}
	return c, err
}

func startIn(dir, bin string, who *syscall.Credential) (*cluster, error) {
	// A password, because COPY PROGRAM gives whoever reaches the port the
	// rights of the server's user.
	random := secret.Random16()
	password := hex.EncodeToString(random[:])
	pwfile := filepath.Join(dir, "password")
	if err := os.WriteFile(pwfile, []byte(password), 0o600); err != nil {
		return nil, err
	}
	if who != nil {
		for _, path := range []string{dir, pwfile} {
			if err := os.Chown(path, int(who.Uid), int(who.Gid)); err != nil {
				return nil, err
			}
		}
	}
	initdb := command(who, filepath.Join(bin, "initdb"), "--pgdata="+filepath.Join(dir, "data"), "--no-sync", "--no-instructions",
		"--username=postgres", "--auth=scram-sha-256", "--pwfile="+pwfile, "--encoding=UTF8", "--locale=C")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	// A free port can be taken between the look and the use, so look again.
	var c *cluster
	var err error
	for range 3 {
		if c, err = serve(filepath.Join(bin, "postgres"), dir, password, who); err == nil {
			break
		}
	}
	return c, err
}

func serve(postgres, dir, password string, who *syscall.Credential) (*cluster, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := command(who, postgres, "-D", filepath.Join(dir, "data"), "-p", strconv.Itoa(port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "logging_collector=off")
	log, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	started := make(chan error)
	go func() {
		// Pdeathsig comes when the thread that started the child ends, so
		// this goroutine keeps its thread for as long as the server lives.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Process.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	if err := ready(log); err != nil {
		cmd.Process.Kill()
		<-ended
		return nil, err
	}
	at := url.URL{Scheme: "postgres", User: url.UserPassword("postgres", password), Path: "/postgres",
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), RawQuery: "sslmode=disable"}
	return &cluster{dir: dir, url: at.String(), process: cmd.Process, ended: ended}, nil
}

// stop ends the server without a checkpoint, for nothing of it is kept.
func (c *cluster) stop() {
	c.process.Signal(syscall.SIGQUIT)
	<-c.ended
	os.RemoveAll(c.dir)
}

// ready reads the server's log until it takes connections, and keeps reading
// after that, so that the server never waits for a full pipe.
func ready(log io.Reader) error {
	lines := bufio.NewScanner(log)
	var said []string
	for lines.Scan() {
		if strings.Contains(lines.Text(), "ready to accept connections") {
			go io.Copy(io.Discard, log)
			return nil
		}
		said = append(said, lines.Text())
	}
	return fmt.Errorf("postgres did not start:\n%s", strings.Join(said, "\n"))
}

// command prepares a server binary that dies with this process. SIGQUIT is
// PostgreSQL's immediate shutdown, which takes its children along.
func command(who *syscall.Credential, path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// binaries finds the newest server that Debian installed, else the one in PATH.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	best, newest := "", 0
	for _, path := range found {
		dir := filepath.Dir(path)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(dir))); err == nil && version > newest {
			best, newest = dir, version
		}
	}
	if best != "" {
		return best, nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("no server binaries found: apt-get install postgresql, or set DOORWARD_TEST_POSTGRES")
	}
	return filepath.Dir(path), nil
}

// unprivileged is whom to be instead of root, as whom PostgreSQL refuses to
// run; nil is to stay who we are.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
