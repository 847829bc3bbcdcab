package api

import (
	"testing"
	"time"

	"github.com/doorward/doorward/internal/core/token"
)

func FuzzFlow(f *testing.F) {
	id := token.NewOnceID(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), [16]byte{1})
	f.Add(flowOf(id, [32]byte{2}))
	f.Add("once_.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, s string) {
		ref, ok := parseFlow(s)
		if ok && flowOf(ref.ID, [32]byte(ref.Browser)) != s {
			t.Errorf("%q is another spelling of a flow", s)
		}
	})
}
