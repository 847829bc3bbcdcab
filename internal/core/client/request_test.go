package client

import (
	"strings"
	"testing"
)

// OAU-01, OAU-02: the registered text, and for a native application any port
// of a loopback IP.
func TestWhereAnswersGo(t *testing.T) {
	registered := []string{"https://app.example/cb", "http://127.0.0.1/cb", "http://[::1]:8080/cb", "http://localhost/cb", "com.example.app:/cb"}
	for sent, want := range map[string]struct{ web, native bool }{
		"https://app.example/cb": {true, true}, "https://app.example:443/cb": {}, "https://app.example/cb/": {}, "com.example.app:/cb": {true, true},
		"http://127.0.0.1/cb": {true, true}, "http://127.0.0.1:1/cb": {false, true}, "http://127.0.0.1:65535/cb": {false, true}, "http://[::1]:8080/cb": {true, true},
		"http://[::1]/cb": {false, true}, "http://[::1]:9/cb": {false, true}, "http://127.0.0.1:0/cb": {}, "http://127.0.0.1:65536/cb": {}, "http://127.0.0.1:08/cb": {},
		"http://127.0.0.1:+8/cb": {}, "http://127.0.0.1:/cb": {}, "http://127.0.0.1:8@evil.example/cb": {}, "http://127.0.0.1:8.evil.example/cb": {}, "http://127.0.0.1.evil.example/cb": {},
		"http://127.0.0.1:8": {}, "http://127.0.0.1:8/cb?a": {}, "http://localhost:8/cb": {}, "https://127.0.0.1:8/cb": {}, "http://127.0.0.2:8/cb": {}, "": {},
	} {
		for kind, want := range map[string]bool{"web": want.web, "native": want.native} {
			if got := (Client{Type: kind, RedirectURIs: registered}).Redirects(sent); got != want {
				t.Errorf("%q of a %s application: %v", sent, kind, got)
			}
		}
	}
	one, two := Client{RedirectURIs: registered[:1]}, Client{RedirectURIs: registered}
	for what, got := range map[string]string{"the only one": one.Back(Request{Scope: "notes:read"}), "one of several": two.Back(Request{}), "OpenID's": one.Back(Request{Scope: "email openid"})} {
		if want := map[string]string{"the only one": registered[0]}[what]; got != want {
			t.Errorf("without an address, %s is %q", what, got)
		}
	}
}

// An application that is refused is told which parameter it was.
func TestWhatIsAmissInARequest(t *testing.T) {
	for want, r := range map[string]Request{
		"": {Prompt: "login consent", MaxAge: "0", Claims: `{"id_token":{"sub":{"value":"a"}}}`}, "prompt": {Prompt: "none login"}, "max_age": {MaxAge: "01"},
		"claims, or sub in it and in id_token_hint": {Claims: "{"}, "a parameter that is too long": {State: strings.Repeat("s", stateAtMost+1), Prompt: "x"},
	} {
		if got := r.Amiss().String(); got != want {
			t.Errorf("%+v: %q, not %q", r, got, want)
		}
	}
}
