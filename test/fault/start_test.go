package fault_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/doorward/doorward/test/rig"
)

// refuses expects that a server does not start, says why, and exits with 1.
func refuses(t *testing.T, s *rig.Server, why string) {
	t.Helper()
	err := s.TryRun()
	if err == nil {
		t.Errorf("it started; want: %s", why)
		return
	}
	if !strings.Contains(err.Error(), "ended with 1") || !strings.Contains(err.Error(), why) {
		t.Errorf("it refused with %v, want %q", err, why)
	}
}

// same expects that the database was not written to.
func same(t *testing.T, s *rig.Server, before map[string][]byte) {
	t.Helper()
	after := s.Dump()
	if !maps.EqualFunc(before, after, bytes.Equal) {
		t.Errorf("the database was written to: %v, before %v", slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
		for name := range before {
			if !bytes.Equal(before[name], after[name]) {
				t.Errorf("%s changed", name)
			}
		}
	}
}

func TestAnotherIssuerIsRefused(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		b := s.SignIn(s.User("ana"))
		s.Stop()
		before := s.Dump()
		other := rig.New(t, engine, rig.Database(s.Database, s.Direct), rig.Data(s.Data))
		refuses(t, other, "issuer")
		same(t, s, before)
		s.Run()
		b.Do("GET", "/session", nil).Want(t, 200)
	})
}

// Attack JWT-21.
func TestWithoutItsKeyNothingStarts(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		b := s.SignIn(s.User("ana"))
		s.Stop()
		before := s.Dump()
		kek := filepath.Join(s.Data, "kek")
		good, err := os.ReadFile(kek)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(kek); err != nil {
			t.Fatal(err)
		}
		refuses(t, s, "key-encryption key")
		if _, err := os.Stat(kek); err == nil {
			t.Error("a lost key was papered over with a new one")
		}
		for name, wrong := range map[string]string{"another key": strings.Repeat("A", 43), "no key": "", "half a key": string(good[:20]), "not text": "\xff\xfe", "slack bits": string(good[:42]) + "_"} {
			if strings.TrimSpace(string(good)) == wrong {
				continue
			}
			if err := os.WriteFile(kek, []byte(wrong+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := s.TryRun(); err == nil {
				t.Errorf("with %s it started", name)
				s.Stop()
			}
		}
		same(t, s, before)
		if err := os.WriteFile(kek, good, 0o600); err != nil {
			t.Fatal(err)
		}
		s.Run()
		b.Do("GET", "/session", nil).Want(t, 200)
		b.Refresh().Want(t, 200)
		s.Bearer("GET", "/session", b.Access).Want(t, 200)
	})
}

func TestOneServerForEachDataDirectory(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		b := s.SignIn(s.User("ana"))
		second := rig.New(t, engine, rig.NodeOf(s), rig.Data(s.Data))
		if err := second.TryRun(); err == nil || !strings.Contains(err.Error(), "ended with 1") {
			t.Errorf("the second server on %s: %v", s.Data, err)
		}
		b.Do("GET", "/session", nil).Want(t, 200)
		if r := s.CLI("", "users", "list", "--json"); r.Code != 0 {
			t.Errorf("after the second start the first one's socket is gone: %+v", r)
		}
		// A socket that a killed server left behind is in nobody's way.
		s.Kill()
		s.Run()
		if r := s.CLI("", "users", "list", "--json"); r.Code != 0 {
			t.Errorf("after a kill the socket is not there: %+v", r)
		}
	})
}
