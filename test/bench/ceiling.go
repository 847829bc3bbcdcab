package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/factor"
)

// ceilingMode makes this program the ceiling: what net/http and the bare
// arithmetic of a token endpoint allow on this machine, with no storage.
const ceilingMode = "ceiling"

const (
	ceilingClient = "bench"
	ceilingSecret = "a secret that only this benchmark knows"
)

// A ceiling is a running one.
type ceiling struct {
	cmd  *exec.Cmd
	addr string
}

func startCeiling(c cores) (*ceiling, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := c.command(self, ceilingMode)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(errors.New("the ceiling did not start"), cmd.Process.Kill(), cmd.Wait())
	}
	return &ceiling{cmd: cmd, addr: strings.TrimSpace(line)}, nil
}

func (t *ceiling) stop() {
	t.cmd.Process.Kill()
	t.cmd.Wait()
}

func (t *ceiling) cost() cost { return costOf(t.cmd.Process.Pid) }

// hello and token are the two ceilings as clients ask them.
func (t *ceiling) hello(int) step {
	ask := request("GET", t.addr, "/hello", "")
	return func(c *conn) error {
		if err := c.do(ask); err != nil {
			return err
		}
		return c.expect(200, "hello\n")
	}
}

func (t *ceiling) token(int) step {
	basic := base64.StdEncoding.EncodeToString([]byte(ceilingClient + ":" + ceilingSecret))
	ask := request("POST", t.addr, "/token", "grant_type=client_credentials&scope=notes%3Aread+notes%3Awrite",
		"Authorization: Basic "+basic, "Content-Type: application/x-www-form-urlencoded")
	return func(c *conn) error {
		if err := c.do(ask); err != nil {
			return err
		}
		return c.expect(200, `{"access_token":"eyJ`, `"token_type":"Bearer"`)
	}
}

// hashes is how many passwords a second this core verifies, one at a time.
func (t *ceiling) hashes(round time.Duration) (float64, error) {
	c, err := dial(t.addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(round + patience))
	if err := c.do(request("GET", t.addr, "/hashes?for="+round.String(), "")); err != nil {
		return 0, err
	}
	if err := c.expect(200); err != nil {
		return 0, err
	}
	return strconv.ParseFloat(string(c.body), 64)
}

// serveCeiling serves until it is killed. Its address is its first line.
func serveCeiling() {
	listening, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listening.Addr())
	// Signatures are made without a source of randomness, as the server makes
	// its own: then they are deterministic (RFC 6979).
	key, err := ecdsa.GenerateKey(elliptic.P256(), nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello\n") })
	mux.HandleFunc("POST /token", bareToken(key))
	mux.HandleFunc("GET /hashes", bareHashes)
	fmt.Fprintln(os.Stderr, http.Serve(listening, mux))
}

func bareToken(key *ecdsa.PrivateKey) http.HandlerFunc {
	b64 := base64.RawURLEncoding
	header := b64.EncodeToString([]byte(`{"alg":"ES256","kid":"bench","typ":"at+jwt"}`)) + "."
	known := sha256.Sum256([]byte(ceilingSecret))
	return func(w http.ResponseWriter, r *http.Request) {
		id, given, _ := r.BasicAuth()
		hash := sha256.Sum256([]byte(given))
		if err := r.ParseForm(); err != nil || id != ceilingClient || subtle.ConstantTimeCompare(hash[:], known[:]) != 1 ||
			r.PostForm.Get("grant_type") != "client_credentials" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		now, jti := time.Now().Unix(), secret.Random16()
		claims := fmt.Appendf(nil, `{"iss":"http://localhost","sub":%q,"aud":"notes-api","exp":%d,"iat":%d,"jti":"%x","client_id":%q,"scope":%q}`,
			id, now+300, now, jti, id, r.PostForm.Get("scope"))
		token := b64.AppendEncode([]byte(header), claims)
		digest := sha256.Sum256(token)
		a, b, err := ecdsa.Sign(nil, key, digest[:])
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		var signature [64]byte
		a.FillBytes(signature[:32])
		b.FillBytes(signature[32:])
		token = b64.AppendEncode(append(token, '.'), signature[:])
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprintf(w, `{"access_token":"%s","token_type":"Bearer","expires_in":300}`, token)
	}
}

func bareHashes(w http.ResponseWriter, r *http.Request) {
	round, err := time.ParseDuration(r.URL.Query().Get("for"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	salt := secret.Random16()
	phc := factor.Hash("a password that fits", salt[:])
	n, at := 0, time.Now()
	for n < 5 || time.Since(at) < round {
		if ok, _, err := factor.Verify("a password that fits", phc); !ok || err != nil {
			http.Error(w, "the hash does not verify", http.StatusInternalServerError)
			return
		}
		n++
	}
	fmt.Fprint(w, float64(n)/time.Since(at).Seconds())
}
