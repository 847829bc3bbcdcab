// Package clients drives the server with clients that others wrote: what they
// cannot do without a workaround is a fault of ours.
package clients

import (
	"testing"

	"github.com/doorward/doorward/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }
