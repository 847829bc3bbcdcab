package settle

import (
	"context"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/risk"
)

// issues counts what was issued without any change, between two flushes. A
// case is there once its row is: only then is anything counted in memory, so
// that no token leaves without a trace that outlives this process.
type issues struct {
	mu sync.Mutex
	of map[issue]*issued
}

// An issue is one case: an application, an exchange, a network, a minute.
type issue struct {
	client   string
	exchange uint16
	network  string
	minute   time.Time
}

type issued struct {
	checks []string
	count  int // since the last flush
}

// caseOf is the case of a judgement that passed.
func caseOf(j *Judgement, by Caller) issue {
	return issue{j.Client, j.Of().Number, risk.Network(by.Addr).String(), j.Now.Truncate(time.Minute)}
}

// count counts one more of a case whose row is there, and says whether it is.
func (i *issues) count(c issue) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	of, ok := i.of[c]
	if ok {
		of.count++
	}
	return ok
}

// opened notes that a case has its row.
func (i *issues) opened(c issue, checks []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.of == nil {
		i.of = map[issue]*issued{}
	}
	// Beyond the bound each one writes for itself, as the first of a minute does.
	if _, ok := i.of[c]; !ok && len(i.of) < talliesAtMost {
		i.of[c] = &issued{checks: checks}
	}
}

// opening is the row of a case, with a count of one.
func (c issue) opening(j *Judgement) ledger.Issue {
	out := ledger.Issue{Client: c.client, Minute: c.minute, Exchange: c.exchange, Network: c.network, Count: 1}
	for _, s := range j.Steps() {
		out.Checks = append(out.Checks, s.Check.ID)
	}
	return out
}

// FlushIssues writes what was counted, and forgets cases of minutes that have
// passed. What could not be written is counted again with the next flush.
func (p *Pipeline) FlushIssues(ctx context.Context) error {
	now := p.Now().Truncate(time.Minute)
	var u core.Unit
	i := &p.issues
	i.mu.Lock()
	for c, of := range i.of {
		if of.count > 0 {
			u = append(u, ledger.Issue{Client: c.client, Minute: c.minute, Exchange: c.exchange, Network: c.network, Checks: of.checks, Count: of.count})
			of.count = 0
		}
		if !c.minute.Equal(now) {
			delete(i.of, c)
		}
	}
	i.mu.Unlock()
	if len(u) == 0 {
		return nil
	}
	_, err := p.Store.Commit(ctx, u)
	if err == nil {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, w := range u {
		n := w.(ledger.Issue)
		c := issue{n.Client, n.Exchange, n.Network, n.Minute}
		if i.of[c] == nil {
			i.of[c] = &issued{checks: n.Checks}
		}
		i.of[c].count += n.Count
	}
	return err
}
