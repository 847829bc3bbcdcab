// Package browser drives a real Chromium through the product, as a person would.
package browser

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
)

// patience bounds one step. It is how long a broken product takes to fail,
// not how long a working one takes.
const patience = 20 * time.Second

// A Browser is a Chromium with a profile of its own.
type Browser struct {
	t          testing.TB
	ctx        context.Context
	mu         sync.Mutex
	complaints []string
}

// New starts a browser that ends with the test.
func New(t testing.TB) *Browser {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Fatal("Chromium is missing: apt-get install chromium, or make need")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has no sandbox for root
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	b := &Browser{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return b
}

// A Tab is one page of a browser.
type Tab struct {
	*Browser
	ctx context.Context
}

// Tab opens another page of the same person.
func (b *Browser) Tab() *Tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatal(err)
	}
	err := chromedp.Listen(ctx, func(ev any) {
		// What the browser itself reports: a broken policy, a script's error.
		if e, ok := ev.(*log.EventEntryAdded); ok && e.Entry.Source == "security" {
			b.mu.Lock()
			b.complaints = append(b.complaints, e.Entry.Text)
			b.mu.Unlock()
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return &Tab{b, ctx}
}

// Complaints are what the browser said against the pages.
func (b *Browser) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.complaints
}

func (t *Tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	t.t.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.t.Fatalf("%s: %v\n%s", what, err, t.See())
	}
}

// Go opens an address.
func (t *Tab) Go(url string) { t.t.Helper(); t.do("open "+url, chromedp.Navigate(url)) }

// Reload loads the page again.
func (t *Tab) Reload() { t.t.Helper(); t.do("reload", chromedp.Reload()) }

// Type fills a field.
func (t *Tab) Type(selector, text string) {
	t.t.Helper()
	t.do("type into "+selector, chromedp.WaitVisible(selector), chromedp.SendKeys(selector, text))
}

// Press clicks what a person can see.
func (t *Tab) Press(selector string) {
	t.t.Helper()
	t.do("press "+selector, chromedp.WaitVisible(selector), chromedp.Click(selector))
}

// Until waits until a condition in the page's own language holds.
func (t *Tab) Until(what, condition string) {
	t.t.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+condition+")"))
		if err == nil && ok {
			return
		}
		// Pages come and go while one waits; only the end of patience counts.
		if ctx.Err() != nil {
			t.t.Fatalf("waited for %s (%v), saw:\n%s", what, err, t.See())
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Eval asks the page.
func (t *Tab) Eval(expression string) string {
	t.t.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		t.t.Fatalf("%s: %v", expression, err)
	}
	return s
}

// See is the page's text, for messages.
func (t *Tab) See() string {
	ctx, cancel := context.WithTimeout(t.ctx, 5*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return s
}

// Picture writes what the page looks like, when a directory is named for it.
func (t *Tab) Picture(name string) {
	t.t.Helper()
	dir := os.Getenv("DOORWARD_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(t.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(dir+"/"+name+".png", png, 0o644)
	}
	if err != nil {
		t.t.Error(err)
	}
}
