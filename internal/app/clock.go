//go:build !testclock

package app

import (
	"time"

	"github.com/spf13/pflag"
)

// now is the clock of the program, read nowhere else.
func now() time.Time { return time.Now() }

// ServeFlags adds nothing: a build for people has no other clock.
func ServeFlags(*pflag.FlagSet) {}
