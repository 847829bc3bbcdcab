package browser

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// demo builds the binary, runs its demo on a free port and gives its address.
func demo(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "doorward")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/doorward").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "demo", "--listen", "127.0.0.1:0")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("the demo ended with %d", code)
		}
	})
	address := regexp.MustCompile(`http://localhost:\d+`)
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if at := address.FindString(lines.Text()); at != "" {
			go io.Copy(io.Discard, said)
			return at
		}
	}
	t.Fatal("the demo said no address")
	return ""
}

const (
	anaEmail    = "ana@example.com"
	anaPassword = "four lamps on a hill"
	submit      = `form[method=post] button:not([type=button])`
	hasOrders   = `document.querySelectorAll("#order-list li").length === 2`
)

func signIn(tab *Tab, email, password string) {
	tab.t.Helper()
	tab.Type(`input[name="username"]`, email)
	tab.Type(`input[name="password"]`, password)
	tab.Press(submit)
}

// The first minute, as the README promises it: sign in, see one's orders and
// nobody else's, reload, a second tab, end the session from the account page,
// and read why the API refuses.
func TestDemo(t *testing.T) {
	at := demo(t)
	b := New(t)
	shop := b.Tab()
	shop.Go(at + "/demo")
	shop.Until("the way in", `!document.querySelector("#sign-in").hidden`)
	shop.Picture("demo-out")
	shop.Press("#sign-in")
	shop.Until("the sign-in page", `location.pathname === "/sign-in"`)
	signIn(shop, anaEmail, "not her password at all")
	shop.Until("the wrong password said", `document.querySelector("[role=alert]") && document.title.startsWith("Error: ")`)
	if got := shop.Eval(`document.querySelector("input[name=password]").value`); got != "" {
		t.Error("the page gives a wrong password back")
	}
	shop.Picture("signin-wrong")
	// The next try is compared only after a rest of one second.
	shop.Until("the rest after a wrong try", `performance.now() > 1200`)
	shop.Type(`input[name="password"]`, anaPassword)
	shop.Press(submit)
	shop.Until("her orders", `location.pathname === "/demo" && `+hasOrders)
	shop.Until("what the server did", `document.querySelectorAll("#exchanges li").length >= 2`)
	shop.Picture("demo-in")

	if stored := shop.Eval(`JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])`); strings.Contains(stored, "eyJ") || strings.Contains(stored, "dw_") {
		t.Errorf("a token can be read by script: %s", stored)
	}
	shop.Press("#foreign")
	shop.Until("Ben's order is refused like a missing one", `!document.querySelector("#refusal").hidden && document.querySelector("#refusal").innerText.includes("object.owner")`)
	shop.Picture("demo-foreign")

	shop.Reload()
	shop.Until("her orders after a silent refresh", hasOrders)
	second := b.Tab()
	second.Go(at + "/demo")
	second.Until("her orders in a second tab", hasOrders)
	shop.Reload()
	shop.Until("the first tab goes on", hasOrders)

	second.Go(at + "/account/sessions")
	second.Until("her session", `document.body.innerText.includes("This browser")`)
	second.Picture("account-sessions")
	second.Until("the way to end it", `document.querySelector("form[action*='/account/sessions/ses_']")`)
	second.Eval(`(document.querySelectorAll("details").forEach(d => d.open = true), "")`)
	second.Press(`form[action*='/account/sessions/ses_'] button`)
	second.Until("the session ended", `!document.body.innerText.includes("This browser") || location.pathname !== "/account/sessions"`)
	second.Picture("after-end")

	shop.Until("the API refuses, and why", `!document.querySelector("#refusal").hidden && document.querySelector("#refusal").innerText.includes("token.revoked")`)
	shop.Until("the way in again", `!document.querySelector("#sign-in").hidden`)
	shop.Picture("demo-ended")
	if c := b.Complaints(); len(c) > 0 {
		t.Errorf("the browser complained: %s", strings.Join(c, "; "))
	}
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("DOORWARD_SCREENSHOTS"); dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
