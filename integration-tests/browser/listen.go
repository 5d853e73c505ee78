package browser

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
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
		case strings.HasSuffix(m.URL, "/favicon.ico"):
			// What the browser asks for by itself, whenever it likes.
		case m.IsException(), m.Type == "error", m.Type == "assert":
			p.problems = append(p.problems, complaint{m.Source, m.Text, describe(m)})
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

// complaint is what a page complains about.
type complaint struct {
	// The part of the browser that complains, by the protocol's name; "" for the page's own
	// scripts.
	source string
	text   string
	line   string // the whole for people
}

// httpError finds the status of an answer, whatever sentence the browser puts around it.
var httpError = regexp.MustCompile(`\b[45]\d\d\b`)

// status is the HTTP status of a resource that was answered with an error, or 0.
func (c complaint) status() int {
	if c.source != network {
		return 0
	}
	n, _ := strconv.Atoi(httpError.FindString(c.text)) // "" is none
	return n
}

// network is the source of complaints about resources that failed to load.
const network = "network"

// Problems gives what pages of this tab have complained about since the last call: console errors,
// uncaught exceptions, resources that failed to load, and what a content security policy has
// blocked.
//
// How many complaints one mistake causes, and their wording, is up to the browser's version: tests
// look for what they know themselves, such as an address, or for there being no complaint at all.
func (p *Page) Problems() []string {
	p.t.Helper()
	m := mark + rand.Text()
	p.Eval(fmt.Sprintf("console.debug(%q)", m), nil)
	var heard []complaint
	p.until("its console to be heard", func() (string, bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.heard[m] {
			return "nothing", false
		}
		delete(p.heard, m)
		heard, p.problems = p.problems, nil
		return "", true
	})
	var out []string
	for _, c := range heard {
		if !slices.ContainsFunc(p.ignored, func(ignored func(complaint) bool) bool { return ignored(c) }) {
			out = append(out, c.line)
		}
	}
	return out
}

// Ignore leaves complaints that contain the text out of Problems. The text is one that the test or
// the product writes: the browser's own sentences change from version to version. The test says
// why, where it calls this.
func (p *Page) Ignore(text string) {
	p.ignored = append(p.ignored, func(c complaint) bool { return strings.Contains(c.line, text) })
}

// IgnoreStatus leaves out of Problems that a resource was answered with one of these HTTP status
// codes.
func (p *Page) IgnoreStatus(codes ...int) {
	p.ignored = append(p.ignored, func(c complaint) bool { return slices.Contains(codes, c.status()) })
}

// IgnoreLostConnections leaves resources out of Problems that got no answer or half of one, as when
// a server stops.
func (p *Page) IgnoreLostConnections() {
	p.ignored = append(p.ignored, func(c complaint) bool { return c.source == network && c.status() == 0 })
}

// Accessibility runs axe-core, whose source is given, over the page as it is now, and gives a line
// for each rule that is violated: rule, help, and the elements.
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
