package browser

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/chromedp/chromedp"
)

// mark begins the console messages by which Problems knows that it has heard everything.
const mark = "browser-test-mark-"

// listen collects what the page complains about until the tab is closed.
func (p *Page) listen(console iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range console {
		if err != nil {
			return
		}
		p.mu.Lock()
		switch {
		case strings.HasPrefix(m.Text, mark):
			p.heard[m.Text] = true
		case strings.HasSuffix(m.URL, "/favicon.ico"): // what the browser asks for by itself, whenever it likes
		case m.IsException(), m.Type == "error", m.Type == "assert":
			p.problems = append(p.problems, describe(m))
		}
		p.mu.Unlock()
	}
}

func describe(m chromedp.ConsoleMessage) string {
	kind := string(m.Type)
	if m.Source != "" {
		kind = m.Source
	}
	return fmt.Sprintf("%s: %s (%s:%d)", kind, m.Text, m.URL, m.Line+1)
}

// Problems gives what pages of this tab have complained about since the last call: console errors, uncaught exceptions,
// resources that failed to load, and what a content security policy has blocked.
func (p *Page) Problems() []string {
	p.t.Helper()
	m := mark + rand.Text()
	p.Eval(fmt.Sprintf("console.debug(%q)", m), nil)
	var out []string
	p.until("its console to be heard", func() (string, bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.heard[m] {
			return "nothing", false
		}
		delete(p.heard, m)
		out, p.problems = p.problems, nil
		return "", true
	})
	return slices.DeleteFunc(out, func(s string) bool {
		return slices.ContainsFunc(p.ignored, func(part string) bool { return strings.Contains(s, part) })
	})
}

// Ignore leaves complaints that contain the text out of Problems: the test says why, where it calls this.
func (p *Page) Ignore(text string) { p.ignored = append(p.ignored, text) }

// Accessibility runs axe-core, whose source is given, over the page as it is now, and gives a line for each rule that is
// violated: rule, help, and the elements.
func (p *Page) Accessibility(axe string) []string {
	p.t.Helper()
	p.Eval(axe+"\n;undefined", nil)
	var found []struct {
		ID    string `json:"id"`
		Help  string `json:"help"`
		Nodes []struct {
			Target []json.RawMessage `json:"target"`
		} `json:"nodes"`
	}
	p.Eval("axe.run().then(r => r.violations)", &found)
	var out []string
	for _, v := range found {
		line := v.ID + ": " + v.Help + ":"
		for _, n := range v.Nodes {
			for _, target := range n.Target {
				line += " " + string(target)
			}
		}
		out = append(out, line)
	}
	return out
}
