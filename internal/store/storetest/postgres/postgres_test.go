package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// In a child process the tests only start a cluster and wait to be killed.
const childMark = "DOORWARD_POSTGRES_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childMark) != "" {
		c, err := start()
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(c.url)
		select {}
	}
	Main(m)
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func TestEachTestHasItsOwnDatabase(t *testing.T) {
	first, second := connect(t, Start(t)), connect(t, Start(t))
	if _, err := first.Exec(t.Context(), "create table mine (n bigint)"); err != nil {
		t.Fatal(err)
	}
	var seen *string
	if err := second.QueryRow(t.Context(), "select to_regclass('mine')::text").Scan(&seen); err != nil || seen != nil {
		t.Fatalf("the second database sees the first one's table: %v %v", seen, err)
	}
}

func TestDatabaseGoesWithItsTest(t *testing.T) {
	var url string
	t.Run("inner", func(t *testing.T) {
		url = Start(t)
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn // left open: dropping must not wait for it
	})
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		conn.Close(t.Context())
		t.Fatal("the database outlived its test")
	}
}

func TestServerIsDurable(t *testing.T) {
	conn := connect(t, Start(t))
	for setting, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"} {
		var got string
		if err := conn.QueryRow(t.Context(), "show "+setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), tests of durability need %q", setting, got, err, want)
		}
	}
}

func TestServerDiesWithItsProcess(t *testing.T) {
	tmp, err := os.MkdirTemp("", "doorward-killed-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	// The server's user must be able to pass through.
	if err := os.Chmod(tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childMark+"=1", "TMPDIR="+tmp)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "postgres://") {
		t.Fatalf("the child said %q: %v", line, err)
	}
	conn := connect(t, strings.TrimSpace(line))

	child.Process.Kill()
	child.Wait()

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := conn.WaitForNotification(ctx); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the server outlived the process that started it: %v", err)
	}
}
