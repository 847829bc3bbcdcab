//go:build testclock

package app

import (
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"
)

var (
	clockFile   string
	clockOffset atomic.Int64 // nanoseconds
	clockRead   atomic.Int64 // when the file was last read
)

// now is the machine's clock moved by what the clock file says: an RFC 3339
// instant, or an offset such as +26h. Black-box tests live in it.
func now() time.Time {
	real := time.Now()
	if clockFile != "" {
		last := clockRead.Load()
		if real.UnixMilli()-last > 100 && clockRead.CompareAndSwap(last, real.UnixMilli()) {
			clockOffset.Store(int64(offset(real)))
		}
	}
	return real.Add(time.Duration(clockOffset.Load()))
}

// offset reads the file; while it is being rewritten the clock goes on as before.
func offset(real time.Time) time.Duration {
	raw, err := os.ReadFile(clockFile)
	text := strings.TrimSpace(string(raw))
	if err != nil || text == "" {
		return time.Duration(clockOffset.Load())
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		// An instant stands still only for as long as nobody looks twice: it is
		// where the clock starts when the file changes.
		if text != lastInstant.Load() {
			lastInstant.Store(text)
			return at.Sub(real)
		}
		return time.Duration(clockOffset.Load())
	}
	lastInstant.Store("")
	if d, err := time.ParseDuration(strings.TrimPrefix(text, "+")); err == nil {
		return d
	}
	return time.Duration(clockOffset.Load())
}

var lastInstant atomic.Value

func init() { lastInstant.Store("") }

// ServeFlags adds --test-clock.
func ServeFlags(f *pflag.FlagSet) {
	f.StringVar(&clockFile, "test-clock", "", "file with an instant or an offset that moves this server's clock")
}
