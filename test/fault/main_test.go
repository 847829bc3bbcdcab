// Package fault_test holds what the program promises when things go wrong:
// restarts, sudden deaths, databases that do not answer.
package fault_test

import (
	"testing"

	"github.com/doorward/doorward/test/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }
