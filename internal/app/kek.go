package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/manage"
)

// A kek is the key-encryption key as this node holds it: from the environment,
// or from a file, which is read again when it opens the keys no more. There
// may be several, one a line: the first seals, and the others only open.
type kek struct {
	file    string // empty: from the environment
	sealer  atomic.Pointer[secret.Sealer]
	present atomic.Pointer[[][]byte]
}

// openKEK reads the key-encryption key, making it only for a database that
// has no keys yet: a lost one must not be papered over with a new one.
func openKEK(c Keys, mayMake bool) (*kek, error) {
	if c.KEK != "" {
		k := new(kek)
		return k, k.take(c.KEK)
	}
	k := &kek{file: c.KEKFile}
	err := k.read()
	if errors.Is(err, fs.ErrNotExist) && mayMake {
		made := secret.Random()
		if err := writeNew(k.file, secret.Encode(made[:])+"\n"); err != nil {
			return nil, err
		}
		err = k.read()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the key-encryption key: %w; without it this database's keys cannot be opened", err)
	}
	return k, err
}

// read reads the file.
func (k *kek) read() error {
	raw, err := os.ReadFile(k.file)
	if err != nil {
		return err
	}
	if err := k.take(string(raw)); err != nil {
		return fmt.Errorf("the key-encryption key in %s %w", k.file, err)
	}
	return nil
}

func (k *kek) take(text string) error {
	keys, err := parseKEK(text)
	if err != nil {
		return err
	}
	s, err := secret.NewSealer(keys[0], keys[1:]...)
	if err != nil {
		return err
	}
	k.present.Store(&keys)
	k.sealer.Store(s)
	return nil
}

// kekAtMost is how many key-encryption keys one may stand beside the other:
// the present one, the next, and one from a rotation that did not end.
const kekAtMost = 3

// parseKEK reads one key a line, or, in the environment, with commas between.
func parseKEK(text string) ([][]byte, error) {
	var out [][]byte
	for one := range strings.FieldsFuncSeq(strings.TrimRight(text, "\r\n"), func(r rune) bool { return r == '\n' || r == ',' }) {
		k, ok := secret.Decode(strings.TrimSuffix(one, "\r"))
		if !ok || len(k) != secret.Size {
			return nil, errors.New("is not 32 bytes of base64url")
		}
		out = append(out, k)
	}
	if len(out) == 0 || len(out) > kekAtMost {
		return nil, fmt.Errorf("is not one key of 32 bytes in base64url, or up to %d of them", kekAtMost)
	}
	return out, nil
}

func (k *kek) Wrap(ctx context.Context, place string, dataKey []byte) ([]byte, error) {
	return k.sealer.Load().Wrap(ctx, place, dataKey)
}

func (k *kek) Unwrap(ctx context.Context, place string, wrapped []byte) ([]byte, error) {
	return k.sealer.Load().Unwrap(ctx, place, wrapped)
}

// opener opens keys under a policy. When the key-encryption key was rotated
// the file is read again.
func (k *kek) opener(p key.Policy) func(context.Context, []key.Key, time.Time) (*key.Ring, error) {
	return func(ctx context.Context, keys []key.Key, now time.Time) (*key.Ring, error) {
		ring, err := key.Open(ctx, keys, k, p, now)
		if errors.Is(err, key.ErrWrongKEK) && k.file != "" {
			if rerr := k.read(); rerr != nil {
				return nil, errors.Join(err, rerr)
			}
			ring, err = key.Open(ctx, keys, k, p, now)
		}
		return ring, err
	}
}

// Newer is the first key when it is not the present one, and else, where they
// are kept in a file, a new one that is put before it. done drops those behind
// it.
func (k *kek) Newer(fits func(secret.KEK) bool) (next secret.KEK, done func() error, err error) {
	err = k.locked(func() error {
		first := (*k.present.Load())[0]
		if next, err = secret.NewSealer(first); err != nil {
			return err
		}
		done = func() error { return k.dropBehind(first) }
		if !fits(next) {
			return nil
		}
		if k.file == "" {
			return manage.ErrNoNewer
		}
		made := secret.Random()
		if err := replace(k.file, secret.Encode(made[:])+"\n"+secret.Encode(first)+"\n"); err != nil {
			return fmt.Errorf("%w: %w", manage.ErrNoNewer, err)
		}
		if err := k.read(); err != nil {
			return err
		}
		next, err = secret.NewSealer(made[:])
		done = func() error { return k.dropBehind(made[:]) }
		return err
	})
	return next, done, err
}

// dropBehind drops the keys that a key has followed. One that another node has
// put before it since stays.
func (k *kek) dropBehind(last []byte) error {
	return k.locked(func() error {
		var text strings.Builder
		for _, one := range *k.present.Load() {
			text.WriteString(secret.Encode(one) + "\n")
			if secret.Equal(one, last) {
				break
			}
		}
		if k.file == "" {
			return k.take(text.String())
		}
		if err := replace(k.file, text.String()); err != nil {
			return err
		}
		return k.read()
	})
}

// locked reads the file and goes on while no other process on its host does:
// of two nodes that rotate at once, one finds the other's new key.
func (k *kek) locked(f func() error) error {
	if k.file == "" {
		return f()
	}
	dir, err := os.Open(filepath.Dir(k.file))
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	if err := k.read(); err != nil {
		return err
	}
	return f()
}

// writeNew gives a file its name only when all of it is on disk, and only when
// no other first start was earlier: nobody ever reads half a key.
func writeNew(file, text string) error {
	name, err := written(file, text)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	if err := os.Link(name, file); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// replace puts another text in a file's place, whole.
func replace(file, text string) error {
	name, err := written(file, text)
	if err != nil {
		return err
	}
	if err := os.Rename(name, file); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	// The name is on disk only when its directory is.
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// written is the name of a file beside another that holds a text, on disk.
func written(file, text string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(file), ".kek-")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}
