// Package http_test holds what the program's HTTP surface promises, asked of
// the real program from outside.
package http_test

import (
	"testing"

	"github.com/doorward/doorward/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }
