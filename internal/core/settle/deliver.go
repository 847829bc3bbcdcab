package settle

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/base/secret"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/outbox"
)

const (
	mailsAtOnce = 16
	senders     = 4
	// mailWithin is how long one sending may take; the claim outlives it.
	mailWithin = 30 * time.Second
)

// Deliver sends the messages that are due and says how many there were. A
// message is claimed before it is sent and forgotten after it was handed over:
// it is sent at least once, whatever ends in between. A failed one stays, and
// report hears of it.
func (p *Pipeline) Deliver(ctx context.Context, k *secret.Sealer, send func(context.Context, outbox.Message) error, report func(outbox.Message, error)) (int, error) {
	v := p.Store.View(ctx)
	due := v.Outbox(p.Now(), mailsAtOnce)
	if err := v.Err(); err != nil {
		return 0, err
	}
	var wg sync.WaitGroup
	free := make(chan struct{}, senders)
	failed := make([]error, len(due))
	for i, w := range due {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			failed[i] = p.deliver(ctx, w, k, send, report)
		})
	}
	wg.Wait()
	return len(due), errors.Join(failed...)
}

func (p *Pipeline) deliver(ctx context.Context, w outbox.Waiting, k *secret.Sealer, send func(context.Context, outbox.Message) error, report func(outbox.Message, error)) error {
	now := p.Now()
	if !now.Before(w.Expires) {
		_, err := p.Store.Commit(ctx, core.Unit{outbox.Done{ID: w.ID}})
		return err
	}
	until := now.Add(2 * mailWithin)
	_, err := p.Store.Commit(ctx, core.Unit{outbox.Claim{ID: w.ID, Due: w.Due, Until: until}})
	var lost *core.Lost
	if errors.As(err, &lost) {
		return nil // another node has it
	}
	if err != nil {
		return err
	}
	m, err := w.Open(k)
	if err == nil {
		within, cancel := context.WithTimeout(ctx, mailWithin)
		err = send(within, m)
		cancel()
	}
	if err != nil {
		report(m, err)
		_, err = p.Store.Commit(context.WithoutCancel(ctx), core.Unit{outbox.Failed{ID: w.ID, Due: until, Until: outbox.Next(w.Tries, now)}})
		return err
	}
	_, err = p.Store.Commit(context.WithoutCancel(ctx), core.Unit{outbox.Done{ID: w.ID}})
	return err
}
