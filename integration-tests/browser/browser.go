package browser

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/livecallrouting/livecall/integration-tests/component"
)

// Patience is how long anything may take: long, as other programs may have the processor.
const Patience = 2 * time.Minute

// Page is a tab. Its methods are for the test's own goroutine.
type Page struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	problems []complaint
	heard    map[string]bool // marks that came back through the console, see Problems
	ignored  []func(complaint) bool
}

// Open starts Chromium with an empty profile and gives its first tab; both end with the test. Flags
// are added to the command line, without dashes, such as "use-fake-device-for-media-stream" or
// "name=value".
//
// Chromium is the program that LIVECALL_CHROMIUM names, else chromium or google-chrome on the PATH.
// Package component says what becomes of the test without one.
func Open(t testing.TB, flags ...string) *Page {
	t.Helper()
	path := component.Get(t, component.Browser, find)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WSURLReadTimeout(Patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"))
	for _, f := range flags {
		name, value, given := strings.Cut(f, "=")
		if given {
			options = append(options, chromedp.Flag(name, value))
		} else {
			options = append(options, chromedp.Flag(name, true))
		}
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	// Of the library's own troubles with unknown events; results tell what matters.
	quiet := func(string, ...any) {}
	return newPage(t, ctx, chromedp.WithErrorf(quiet), chromedp.WithLogf(quiet))
}

// NewTab opens a further tab of the same Chromium. They share cookies and storage.
func (p *Page) NewTab() *Page {
	p.t.Helper()
	return newPage(p.t, p.ctx)
}

func newPage(t testing.TB, parent context.Context, options ...chromedp.ContextOption) *Page {
	t.Helper()
	ctx, _ := chromedp.NewContext(parent, options...) // cancelled in the clean-up
	p := &Page{t: t, ctx: ctx, heard: map[string]bool{}}
	t.Cleanup(func() {
		closing, cancel := context.WithTimeout(ctx, Patience)
		defer cancel()
		_ = chromedp.Cancel(closing) // a browser that is gone already is no concern of the test
	})
	// Starts the browser: without a deadline, which would be the browser's own.
	console := chromedp.Console(ctx)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	go p.listen(console)
	return p
}

func find() (string, error) {
	if named := os.Getenv("LIVECALL_CHROMIUM"); named != "" {
		return named, nil
	}
	for _, name := range []string{"chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium: apt-get install chromium, or name one in LIVECALL_CHROMIUM")
}
