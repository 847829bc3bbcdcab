// Package cli_test holds what the command line promises, asked of the real
// program beside a running server.
package cli_test

import (
	"testing"

	"github.com/doorward/doorward/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }
