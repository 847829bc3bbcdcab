// Command screenshots renders every page in every state to PNG files, light and dark, at three widths, and fails
// when a page scrolls sideways or the browser complains (a file missing, a policy broken).
//
//	go run ./test/screenshots DIR [PREFIX]
package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"github.com/doorward/doorward/internal/edge/web/ui"
	"github.com/doorward/doorward/test/screenshots/gallery"
)

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		fmt.Fprintln(os.Stderr, "usage: screenshots DIR [PREFIX]")
		os.Exit(2)
	}
	prefix := strings.Join(os.Args[2:], "")
	if err := run(os.Args[1], prefix); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func run(dir, prefix string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: pages()} //nolint:gosec // serves this program's own browser only
	go server.Serve(listener)                //nolint:errcheck // ends with Close
	defer server.Close()

	profile, err := os.MkdirTemp("", "screenshots")
	if err != nil {
		return err
	}
	defer os.RemoveAll(profile)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has no sandbox for root
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	ctx, cancel := chromedp.NewContext(alloc)
	defer cancel()

	var complaints []string
	err = chromedp.Listen(ctx, func(ev any) {
		if e, ok := ev.(*log.EventEntryAdded); ok {
			complaints = append(complaints, e.Entry.Text+" "+e.Entry.URL)
		}
	})
	if err != nil {
		return err
	}
	for _, state := range gallery.States() {
		if !strings.HasPrefix(state.Name, prefix) {
			continue
		}
		for _, theme := range []string{"light", "dark"} {
			for _, width := range []int64{320, 480, 1280} {
				name := fmt.Sprintf("%s-%s-%d.png", state.Name, theme, width)
				url := fmt.Sprintf("http://%s/%s", listener.Addr(), state.Name)
				if err := shoot(ctx, url, theme, width, filepath.Join(dir, name)); err != nil {
					complaints = append(complaints, name+": "+err.Error())
				}
			}
		}
	}
	if len(complaints) > 0 {
		return fmt.Errorf("%d complaints:\n%s", len(complaints), strings.Join(complaints, "\n"))
	}
	return nil
}

// pages serves each state under its name.
func pages() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/s/", ui.Assets())
	for _, state := range gallery.States() {
		mux.HandleFunc("GET /"+state.Name, func(w http.ResponseWriter, _ *http.Request) {
			var html bytes.Buffer
			if err := state.Page.Render(&html); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			ui.Headers(w.Header())
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Write(gallery.Still(html.Bytes()))
		})
	}
	return mux
}

func shoot(ctx context.Context, url, theme string, width int64, file string) error {
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}
	setTheme := func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return chromedp.Void{}, err
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 720), setTheme, chromedp.Navigate(url)); err != nil {
		return err
	}
	if err := capture(ctx, width, file); err != nil {
		return err
	}
	opened, err := chromedp.Run(ctx, chromedp.Evaluate[int64](openAll))
	if err != nil || opened == 0 {
		return err
	}
	return capture(ctx, width, strings.TrimSuffix(file, ".png")+"-open.png")
}

// openAll opens what is closed and says how many there were. A shared name would close one for the other.
const openAll = `[...document.querySelectorAll("details")].map(d => { d.name = ""; d.open = true; }).length`

func capture(ctx context.Context, width int64, file string) error {
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
	if err != nil {
		return err
	}
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		return err
	}
	if wide > width {
		return fmt.Errorf("%s scrolls sideways: %d px", filepath.Base(file), wide)
	}
	return nil
}
