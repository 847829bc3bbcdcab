package http_test

import (
	"bufio"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/test/rig"
)

// A frame is one server-sent event.
type frame struct{ id, kind, data string }

// listen opens a stream and gives its frames as they come; the channel is
// closed at the stream's end.
func listen(t *testing.T, s *rig.Server, reader rig.Client, query string, headers ...string) <-chan frame {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/revocations/stream"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", basic(reader))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if h := res.Header; res.StatusCode != 200 || h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store" {
		t.Fatalf("answered %d %v", res.StatusCode, h)
	}
	out := make(chan frame, 64)
	go func() {
		defer res.Body.Close()
		defer close(out)
		var f frame
		for in := bufio.NewScanner(res.Body); in.Scan(); {
			name, value, _ := strings.Cut(in.Text(), ": ")
			switch name {
			case "id":
				f.id = value
			case "event":
				f.kind = value
			case "data":
				f.data += value
			case "":
				out <- f
				f = frame{}
			}
		}
	}()
	return out
}

// await gives the next frame of a kind.
func await(t *testing.T, in <-chan frame, kind string) frame {
	t.Helper()
	for late := time.After(20 * time.Second); ; {
		select {
		case f, open := <-in:
			if !open {
				t.Fatalf("the stream ended before a %s", kind)
			}
			if f.kind == kind {
				return f
			}
		case <-late:
			t.Fatalf("no %s came", kind)
		}
	}
}

func TestTheStreamTellsWhatEnded(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		reader := s.API("reader", "notes-api")
		ana := s.User("ana")
		one, two := s.SignIn(ana), s.SignIn(ana)
		in := listen(t, s, reader, "?after=0")
		await(t, in, "heartbeat")
		began := time.Now()
		var view struct {
			Next uint64 `json:"next"`
			Head uint64 `json:"head"`
			Held int64  `json:"held_ms"`
			Age  int64  `json:"age_ms"`
		}
		for range 3 {
			if err := json.Unmarshal([]byte(await(t, in, "heartbeat").data), &view); err != nil || view.Next != view.Head || view.Head == 0 || view.Held <= 0 || view.Age < 0 {
				t.Errorf("a heartbeat says %+v, %v", view, err)
			}
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("three heartbeats took %v", took)
		}
		began = time.Now()
		one.Do("DELETE", "/session", nil).Want(t, 204)
		f := await(t, in, "revocation")
		if took := time.Since(began); took > time.Second {
			t.Errorf("the end of a session was told after %v", took)
		}
		var e struct {
			Seq  uint64 `json:"seq"`
			Unit string `json:"unit"`
			ID   string `json:"id"`
		}
		if err := json.Unmarshal([]byte(f.data), &e); err != nil || e.Unit != "session" || e.ID != one.Session || e.Seq <= view.Head {
			t.Errorf("the stream says %+v, %v", f, err)
		}
		if seen := await(t, in, "heartbeat"); seen.id != f.id {
			t.Errorf("after the event %s a heartbeat stands at %s", f.id, seen.id)
		}
		// Whoever was away goes on where it stopped; the header wins over the address.
		two.Do("DELETE", "/session", nil).Want(t, 204)
		if got := await(t, listen(t, s, reader, "?after=0", "Last-Event-ID", f.id), "revocation"); !strings.Contains(got.data, two.Session) {
			t.Errorf("after %s comes %+v", f.id, got)
		}
		if got := await(t, listen(t, s, reader, ""), "revocation"); !strings.Contains(got.data, one.Session) {
			t.Errorf("from the beginning comes %+v", got)
		}
		// A server that stops ends its streams and keeps nobody waiting.
		began = time.Now()
		s.Signal(syscall.SIGTERM)
		for open := true; open; {
			_, open = <-in
		}
		if code := s.Wait(20 * time.Second); code != 0 || time.Since(began) > 10*time.Second {
			t.Errorf("ended with %d after %v", code, time.Since(began))
		}
	})
}

func TestWhoIsRefusedAStream(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		reader := s.API("reader", "notes-api")
		machine := s.Register(map[string]any{"client_id": "machine", "client_name": "machine", "doorward_type": "machine", "doorward_resources": []string{"other"}})
		b := s.Browser()
		b.Origin = ""
		const path = "/revocations/stream"
		for name, c := range map[string]struct {
			method, path, auth string
			headers            []string
			status             int
			check              string
		}{
			"nobody":         {"GET", path, "", nil, 401, "client.authentic"},
			"a wrong secret": {"GET", path, basic(rig.Client{ID: reader.ID, Secret: "wrong"}), nil, 401, "client.authentic"},
			"no scope":       {"GET", path, basic(machine), nil, 403, "client.may_read"},
			"two headers":    {"GET", path, "Basic !", nil, 400, "request.authorization"},
			"a bad cursor":   {"GET", path + "?after=-1", basic(reader), nil, 400, "request.query"},
			"a bad last id":  {"GET", path, basic(reader), []string{"Last-Event-ID", "07"}, 400, "request.query"},
			"a strange word": {"GET", path + "?since=1", basic(reader), nil, 400, "request.query"},
			"another method": {"POST", path, basic(reader), nil, 405, "request.method"},
		} {
			a := b.Do(c.method, c.path, nil, append(c.headers, "Authorization", c.auth)...)
			if a.Want(t, c.status).Refusal(t).Check != c.check {
				t.Errorf("%s: refused by %s, want %s", name, a.Refusal(t).Check, c.check)
			}
			if c.status == 405 && a.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow: %s", a.Header.Get("Allow"))
			}
		}
		if a := b.Do("HEAD", path, nil, "Authorization", basic(reader)).Want(t, 200); a.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("HEAD answers %v", a.Header)
		}
	})
}

// The end of a single token is told the API it was made for, and no other; the
// end of its session is told both.
func TestReadersAreToldOfTheirOwn(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		s.App("notes", notesOrigin, "notes-api")
		notes, other := listen(t, s, s.API("notes-server", "notes-api"), ""), listen(t, s, s.API("other-server", "other-api"), "")
		b := s.SignInAt(s.User("ana"), notesOrigin)
		if r := s.CLI(b.Access, "tokens", "revoke", "-", "--json"); r.Code != 0 {
			t.Fatal(r.Stdout, r.Stderr)
		}
		b.Do("DELETE", "/session", nil).Want(t, 204)
		unit := func(in <-chan frame) string {
			var e struct {
				Unit string `json:"unit"`
			}
			if err := json.Unmarshal([]byte(await(t, in, "revocation").data), &e); err != nil {
				t.Fatal(err)
			}
			return e.Unit
		}
		if first, second := unit(notes), unit(notes); first != "jti" || second != "session" {
			t.Errorf("the token's API is told of a %s and a %s", first, second)
		}
		if first := unit(other); first != "session" {
			t.Errorf("the other API is told of a %s first", first)
		}
	})
}

// A reader that goes away gives its place back, however it goes.
func TestPlacesOfStreamsComeBack(t *testing.T) {
	s := rig.Start(t, rig.SQLite, rig.Env("DOORWARD_LIMITS_SCALE=1000"))
	reader := s.API("reader", "notes-api")
	open := func() (*http.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/revocations/stream", nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", basic(reader))
		return s.Client().Do(r)
	}
	var all []*http.Response
	for range 65 {
		res, err := open()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, res)
	}
	if last := all[64]; last.StatusCode != 429 || last.Header.Get("Retry-After") == "" {
		t.Errorf("the 65th stream is answered %d %v", last.StatusCode, last.Header)
	}
	for _, res := range all {
		err := res.Body.Close()
		if err != nil && !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Error(err)
		}
	}
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		res, err := open()
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode == 200 {
			return
		}
		if time.Now().After(late) {
			t.Fatal("no place came back")
		}
	}
}
