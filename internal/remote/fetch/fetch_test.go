package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func fine(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write([]byte(`{"keys":[]}`))
}

func TestADocumentComesWhole(t *testing.T) {
	w := newWorld(t, fine)
	f := w.fetcher(Options{Allow: loopback})
	body, media, err := f.Document(t.Context(), w.url("example.com", "/a?b=c"))
	if err != nil || string(body) != `{"keys":[]}` || media != "application/json" {
		t.Fatalf("%s %q %v", body, media, err)
	}
}

// Attack OAU-30: addresses inside, in every spelling. Nothing is connected to.
func TestNothingInsideIsCalled(t *testing.T) {
	w := newWorld(t, fine)
	f := w.fetcher(Options{Within: 2 * time.Second})
	for _, host := range []string{
		"127.0.0.1", "127.8.8.8", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "0.0.0.0", "localhost", "localhost.", "LOCALHOST",
		"2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.1", "127.0.1", "017700000001", "127.0.0.1.", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
		"169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[fd00:ec2::254]", "[fe80::1%25lo]", "[::1%25lo]",
		"10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "224.0.0.1", "255.255.255.255", "[ff02::1]", "[fc00::1]", "[fec0::1]", "[::7f00:1]",
		"1.example.com.0x1", "user@127.0.0.1", "example.com", "many.example", "mapped.example", "metadata.example",
	} {
		w.name("many.example", "10.0.0.1", "127.0.0.1", "192.168.1.1")
		w.name("mapped.example", "::ffff:127.0.0.1", "::1")
		w.name("metadata.example", "169.254.169.254")
		for _, scheme := range []string{"https", "http"} {
			address := scheme + "://" + host + ":" + w.port + "/latest/meta-data/"
			if _, _, err := f.Document(t.Context(), address); !errors.Is(err, ErrAddress) && !isNoName(err) {
				t.Errorf("%s: %v", address, err)
			}
			if _, err := f.Keys(t.Context(), address, nil); !errors.Is(err, ErrAddress) && !isNoName(err) {
				t.Errorf("%s as keys: %v", address, err)
			}
			if status, err := f.Post(t.Context(), address, "application/x-www-form-urlencoded", []byte("a=b")); status != 0 || !errors.Is(err, ErrAddress) && !isNoName(err) {
				t.Errorf("posted to %s: %d %v", address, status, err)
			}
		}
		w.untouched(host)
	}
}

func isNoName(err error) bool {
	var e *net.DNSError
	return errors.As(err, &e) && e.IsNotFound
}

// Attack OAU-30: what is no address of the web.
func TestOtherSchemesAndForms(t *testing.T) {
	w := newWorld(t, fine)
	f := w.fetcher(Options{Allow: loopback})
	for _, address := range []string{
		"gopher://example.com:" + w.port + "/", "ftp://example.com/", "file:///etc/passwd", "data:application/json,{}", "javascript:1", "//example.com/", "/keys", "",
		"https:example.com", "https://", "https:///keys", "https://user:pass@example.com:" + w.port + "/", "https://example.com:" + w.port + "/#keys", "https://example.com\\@127.0.0.1/",
		"HTTPS://", "https://example.com:" + w.port + "/" + strings.Repeat("a", 2048), "unix:///run/doorward.sock", "https://exa mple.com/", "https://[::1", "https://example.com:99999/",
	} {
		if _, _, err := f.Document(t.Context(), address); err == nil {
			t.Errorf("%q was fetched", address)
		}
		w.untouched(address)
	}
}

// Attack OAU-30: a name that leads elsewhere by the time it is called.
func TestANameIsJudgedWhenItIsCalled(t *testing.T) {
	w := newWorld(t, fine)
	f := w.fetcher(Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	w.name("example.com", "127.0.0.2")
	if _, _, err := f.Document(t.Context(), w.url("example.com", "/")); err != nil {
		t.Fatal(err)
	}
	w.connections.Store(0)
	w.name("example.com", "127.0.0.1")
	w.pass(stale + freshMost)
	if _, _, err := f.Document(t.Context(), w.url("example.com", "/")); !errors.Is(err, ErrAddress) {
		t.Errorf("the name was rebound, and the answer is %v", err)
	}
	w.untouched("rebound")
	// One good address beside bad ones does not open the bad ones.
	w.name("example.com", "10.255.255.1", "127.0.0.1", "127.0.0.2")
	w.pass(time.Minute)
	if _, _, err := f.Document(t.Context(), w.url("example.com", "/")); err != nil {
		t.Errorf("the address that may be called was not: %v", err)
	}
}

// Attack OAU-30: without TLS only what the operator listed is called.
func TestPlainHTTPIsForListedNetworks(t *testing.T) {
	w := newWorld(t, fine)
	plain := http.Server{Handler: http.HandlerFunc(fine)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = plain.Serve(l) }()
	t.Cleanup(func() { _ = plain.Close() })
	address := "http://" + l.Addr().String() + "/"
	if _, _, err := w.fetcher(Options{Allow: loopback}).Document(t.Context(), address); err != nil {
		t.Errorf("listed: %v", err)
	}
	if _, _, err := w.fetcher(Options{}).Document(t.Context(), address); !errors.Is(err, ErrAddress) {
		t.Errorf("not listed: %v", err)
	}
	// An address of the internet, which nothing is sent to from here.
	if _, _, err := w.fetcher(Options{}).Document(t.Context(), "http://93.184.215.14/"); !errors.Is(err, ErrAddress) {
		t.Errorf("plain http to the internet: %v", err)
	}
}

// Attack OAU-30: an answer that sends us on, inside or out of TLS.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var to atomic.Value
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(rw, r, to.Load().(string), http.StatusFound)
			return
		}
		fine(rw, r)
	})
	for _, target := range []string{"/elsewhere", "http://127.0.0.1:" + w.port + "/", w.url("127.0.0.1", "/x"), "gopher://127.0.0.1/", "https://169.254.169.254/"} {
		to.Store(target)
		w.requests.Store(0)
		f := w.fetcher(Options{Allow: loopback})
		if _, _, err := f.Document(t.Context(), w.url("example.com", "/")); !errors.Is(err, ErrAnswer) {
			t.Errorf("to %s: %v", target, err)
		}
		if status, err := f.Post(t.Context(), w.url("example.com", "/"), "text/plain", nil); status != http.StatusFound || err != nil {
			t.Errorf("posted, to %s: %d %v", target, status, err)
		}
		if n := w.requests.Load(); n != 2 {
			t.Errorf("to %s: %d requests arrived", target, n)
		}
	}
}

// Attacks OAU-30, FWD-18: an answer without end, in size.
func TestAnswersAreBounded(t *testing.T) {
	var sent atomic.Int64
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/declared":
			rw.Header().Set("Content-Length", "1073741824")
		case "/gzip":
			rw.Header().Set("Content-Encoding", "gzip")
		case "/headers":
			for i := range 100 {
				rw.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("a", 1000))
			}
			return
		case "/fits", "/one-more":
			_, _ = rw.Write(bytes.Repeat([]byte("a"), 64<<10+len(r.URL.Path)-len("/fits")))
			return
		}
		for range 1 << 30 / 4096 {
			n, err := rw.Write(make([]byte, 4096))
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	})
	f := w.fetcher(Options{Allow: loopback})
	for _, path := range []string{"/endless", "/declared", "/gzip", "/headers", "/one-more"} {
		if body, _, err := f.Document(t.Context(), w.url("example.com", path)); !errors.Is(err, ErrAnswer) || body != nil {
			t.Errorf("%s: %d bytes, %v", path, len(body), err)
		}
		if n := sent.Swap(0); n > 32<<20 {
			t.Errorf("%s: %d bytes were sent before we hung up", path, n)
		}
	}
	if body, _, err := f.Document(t.Context(), w.url("example.com", "/fits")); err != nil || len(body) != 64<<10 {
		t.Errorf("64 KiB: %d, %v", len(body), err)
	}
	if body, err := f.Keys(t.Context(), w.url("example.com", "/one-more"), nil); err != nil || len(body) <= 64<<10 {
		t.Errorf("keys may be longer: %d, %v", len(body), err)
	}
	// What is answered to a post does not matter, however long it is.
	if status, err := f.Post(t.Context(), w.url("example.com", "/endless"), "text/plain", nil); err != nil || status != http.StatusOK {
		t.Errorf("posted: %d %v", status, err)
	}
}

// Attack OAU-30: an answer without end, in time.
func TestSlowAnswersAreCut(t *testing.T) {
	done := make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_, _ = rw.Write([]byte("{"))
		}
		for {
			select {
			case <-done:
				return
			case <-r.Context().Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
			if r.URL.Path == "/body" {
				_, _ = rw.Write([]byte(" "))
				_ = http.NewResponseController(rw).Flush()
			}
		}
	})
	defer close(done)
	f := w.fetcher(Options{Allow: loopback, Within: 300 * time.Millisecond})
	for _, path := range []string{"/body", "/headers"} {
		began := time.Now()
		if _, _, err := f.Document(t.Context(), w.url("example.com", path)); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", path, err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%s was waited for %s", path, took)
		}
	}
	if New(Options{}).o.Within != 5*time.Second {
		t.Error("the usual bound is not five seconds")
	}
	// Who gives up sooner is let go.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := f.Document(ctx, w.url("example.com", "/other")); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

func TestCallsCarryNothingOfOurs(t *testing.T) {
	proxied := newWorld(t, fine)
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:"+proxied.port)
	t.Setenv("ALL_PROXY", "http://127.0.0.1:"+proxied.port)
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Cookie", "Authorization", "Referer"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s: %s was sent", name, r.Header.Get(name))
			}
		}
		http.SetCookie(rw, &http.Cookie{Name: "a", Value: "b"})
		fine(rw, r)
	})
	f := w.fetcher(Options{Allow: loopback})
	for _, path := range []string{"/1", "/2"} {
		if _, _, err := f.Document(t.Context(), w.url("example.com", path)); err != nil {
			t.Fatal(err)
		}
	}
	proxied.untouched("the proxy of the environment")
}

func TestWhoAnswersIsProved(t *testing.T) {
	w := newWorld(t, fine)
	f := w.fetcher(Options{Allow: loopback})
	w.name("other.test", "127.0.0.1")
	if _, _, err := f.Document(t.Context(), w.url("other.test", "/")); !errors.Is(err, ErrAnswer) {
		t.Errorf("a certificate of another name: %v", err)
	}
	f.secure.TLSClientConfig.RootCAs = nil
	if _, _, err := f.Document(t.Context(), w.url("example.com", "/")); !errors.Is(err, ErrAnswer) {
		t.Errorf("a certificate of nobody known: %v", err)
	}
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		old := w.old(version)
		if _, _, err := w.fetcher(Options{Allow: loopback}).Document(t.Context(), old.URL); !errors.Is(err, ErrAnswer) {
			t.Errorf("TLS %x: %v", version, err)
		}
	}
}

func TestWhatIsPublic(t *testing.T) {
	for _, s := range []string{"1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808", "::ffff:8.8.8.8"} {
		if !public(netip.MustParseAddr(s)) {
			t.Errorf("%s is of the internet", s)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{"https://example.com/", "https://127.1/", "http://[::1%25lo]/", "https://a@b/", "https://0x7f.1", "gopher://x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := target(s)
		if err != nil {
			return
		}
		if u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Hostname() == "" || u.Fragment != "" {
			t.Errorf("%q is called as %v", s, u)
		}
	})
}
