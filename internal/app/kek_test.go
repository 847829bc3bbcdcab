package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/manage"
)

func randomKEK() string { k := secret.Random(); return secret.Encode(k[:]) }

func TestAKeyEncryptionKeyHasOneForm(t *testing.T) {
	a, b := randomKEK(), randomKEK()
	for text, want := range map[string]int{
		a: 1, a + "\n": 1, a + "\r\n": 1, a + "\n" + b + "\n": 2, a + "," + b: 2, a + "\r\n" + b + "\r\n" + a: 3,
		"": 0, "\n": 0, ",": 0, a + " ": 0, " " + a: 0, a + "=": 0, a[:42]: 0, a + a: 0, a + "," + b[:40]: 0, a + "," + b + "," + a + "," + b: 0,
		strings.Repeat("A", 44): 0, "correct horse battery staple": 0, "\xff\xfe": 0,
	} {
		if keys, err := parseKEK(text); len(keys) != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d keys, %v", text, len(keys), err)
		} else if err != nil && len(text) > 8 && strings.Contains(err.Error(), text[:8]) {
			t.Errorf("the refusal repeats the secret: %v", err)
		}
	}
}

// what a key-encryption key sealed, another opens or not.
func opens(t *testing.T, k *kek, box []byte) bool {
	t.Helper()
	_, err := k.Unwrap(t.Context(), "keys/1/1", box)
	return err == nil
}

// Whatever moment a rotation is cut off at, the file opens what the database
// has: the new key stands before the old one until nothing lies under that.
func TestTheFileHoldsBothKeysWhileOneFollowsTheOther(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kek")
	k, err := openKEK(Keys{KEKFile: file}, true)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info.Mode(), err)
	}
	before, err := k.Wrap(t.Context(), "keys/1/1", []byte("a data key"))
	if err != nil {
		t.Fatal(err)
	}
	present := func(k secret.KEK) bool { _, err := k.Unwrap(t.Context(), "keys/1/1", before); return err == nil }
	next, done, err := k.Newer(present)
	if err != nil || present(next) {
		t.Fatalf("%v; the new key is the old one: %v", err, present(next))
	}
	after, err := next.Wrap(t.Context(), "keys/1/1", []byte("a data key"))
	if err != nil {
		t.Fatal(err)
	}
	// Cut off here, another start opens both, and goes on with the same new key.
	again, err := openKEK(Keys{KEKFile: file}, false)
	if err != nil || !opens(t, again, before) || !opens(t, again, after) {
		t.Fatalf("a start in the middle: %v", err)
	}
	if same, _, err := again.Newer(present); err != nil {
		t.Fatal(err)
	} else if _, err := same.Unwrap(t.Context(), "keys/1/1", after); err != nil {
		t.Error("a rotation that was cut off goes on with another key")
	}
	if err := done(); err != nil {
		t.Fatal(err)
	}
	last, err := openKEK(Keys{KEKFile: file}, false)
	if err != nil || opens(t, last, before) || !opens(t, last, after) || opens(t, k, before) {
		t.Errorf("the old key is still there: %v", err)
	}
	if info, err = os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Of nodes that share the file and rotate one after the other or at once, none
// drops a key that another needs.
func TestNodesThatShareTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kek")
	one, err := openKEK(Keys{KEKFile: file}, true)
	if err != nil {
		t.Fatal(err)
	}
	two, err := openKEK(Keys{KEKFile: file}, false)
	if err != nil {
		t.Fatal(err)
	}
	box, _ := one.Wrap(t.Context(), "keys/1/1", []byte("a data key"))
	present := func(k secret.KEK) bool { _, err := k.Unwrap(t.Context(), "keys/1/1", box); return err == nil }
	first, done, err := one.Newer(present)
	if err != nil {
		t.Fatal(err)
	}
	// The other meets the new key and takes it for its own.
	if same, _, err := two.Newer(present); err != nil {
		t.Fatal(err)
	} else if b, _ := first.Wrap(t.Context(), "keys/1/1", nil); !func() bool { _, err := same.Unwrap(t.Context(), "keys/1/1", b); return err == nil }() {
		t.Error("two new keys stand before one old one")
	}
	// Everything lies under it now, and before the first is done the other goes on to a third.
	box, _ = first.Wrap(t.Context(), "keys/1/1", []byte("a data key"))
	third, _, err := two.Newer(present)
	if err != nil {
		t.Fatal(err)
	}
	if err := done(); err != nil {
		t.Fatal(err)
	}
	again, err := openKEK(Keys{KEKFile: file}, false)
	b, _ := third.Wrap(t.Context(), "keys/1/1", nil)
	if err != nil || !opens(t, again, box) || !opens(t, again, b) {
		t.Errorf("a key is lost: %v", err)
	}
}

func TestAKeyEncryptionKeyIsNeverMadeForKeysThatAreThere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kek")
	if _, err := openKEK(Keys{KEKFile: file}, false); err == nil {
		t.Error("it opened")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("it was made")
	}
	if err := os.WriteFile(file, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openKEK(Keys{KEKFile: file}, true); err == nil || !strings.Contains(err.Error(), "32 bytes") {
		t.Errorf("a short one: %v", err)
	}
	k, err := openKEK(Keys{KEK: randomKEK()}, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Newer(func(secret.KEK) bool { return true }); !errors.Is(err, manage.ErrNoNewer) {
		t.Errorf("the environment has no newer one: %v", err)
	}
}

func TestConfigurationOfKeys(t *testing.T) {
	issuer := map[string]string{"issuer": "https://auth.example.com"}
	held := randomKEK()
	for name, test := range map[string]struct {
		file string
		env  map[string]string
		want string // what the one problem says; empty: none
	}{
		"nothing":           {},
		"an algorithm":      {file: `[keys]` + "\n" + `alg = "PS256"`},
		"none":              {file: `[keys]` + "\n" + `alg = "none"`, want: "one of [ES256"},
		"another spelling":  {file: `[keys]` + "\n" + `alg = "es256"`, want: "one of [ES256"},
		"a shared one":      {file: `[keys]` + "\n" + `alg = "HS256"`, want: "one of [ES256"},
		"too often":         {file: `[keys]` + "\n" + `rotate_every = "23h"`, want: "from 1d"},
		"in the file":       {file: `[keys]` + "\n" + `kek = "` + held + `"`, want: "environment alone"},
		"environment":       {env: map[string]string{"DOORWARD_KEYS_KEK": held}},
		"two":               {env: map[string]string{"DOORWARD_KEYS_KEK": held + "," + randomKEK()}},
		"short":             {env: map[string]string{"DOORWARD_KEYS_KEK": held[:42]}, want: "32 bytes"},
		"in a file as well": {env: map[string]string{"DOORWARD_KEYS_KEK": held, "DOORWARD_KEYS_KEK_FILE": "/run/kek"}, want: "beside keys.kek_file"},
	} {
		c, problems := Load([]byte(test.file), test.env, issuer)
		switch {
		case test.want == "" && len(problems) != 0:
			t.Errorf("%s: %v", name, problems)
		case test.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].Says, test.want)):
			t.Errorf("%s: %v, want %q", name, problems, test.want)
		}
		for _, p := range problems {
			if strings.Contains(p.In("f"), held[:10]) {
				t.Errorf("%s: the problem has the secret: %s", name, p.In("f"))
			}
		}
		for _, v := range c.Values {
			if strings.Contains(v.Value, held[:10]) {
				t.Errorf("%s: config show has the secret", name)
			}
		}
	}
}
