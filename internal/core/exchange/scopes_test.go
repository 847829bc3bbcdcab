package exchange_test

import (
	"fmt"
	"testing"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/settle"
)

func TestDescribingScopes(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		operator := settle.Caller{Actor: "host:0"}
		says := func(name, words string) error {
			_, err := r.manage.DescribeScope(t.Context(), operator, client.Scope{Name: name, Says: words})
			return err
		}
		if err := says("notes:read", "read your notes"); err != nil {
			t.Fatal(err)
		}
		refused(t, says("two names", "x"), "scope.form")
		refused(t, says("notes:read", "x\u202ey"), "scope.form")
		refused(t, r.manage.UndescribeScope(t.Context(), operator, "notes:write"), "scope.found")
		var u core.Unit
		for i := range client.ScopesAtMost - 1 {
			u = append(u, client.Describe{Name: fmt.Sprintf("s%d", i), Says: "x", Changed: r.clock.now()})
		}
		if _, err := r.store.Commit(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		refused(t, says("one:more", "x"), "scope.room")
		if err := says("notes:read", "read all your notes"); err != nil {
			t.Errorf("a change of one that is there: %v", err)
		}
		if err := r.manage.UndescribeScope(t.Context(), operator, "notes:read"); err != nil {
			t.Error(err)
		}
		if err := says("one:more", "x"); err != nil {
			t.Error(err)
		}
	})
}
