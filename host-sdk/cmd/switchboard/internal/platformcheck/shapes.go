package platformcheck

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// shapes judges every answer that was recorded: each fault once, with the operations that have it
// and the request where it was seen first. One misspelt member is one fault, in however many
// answers it is.
func (r *run) shapes() {
	c := r.check("answers are as in the OpenAPI document")
	if c == nil {
		return
	}
	c.About = "what switchboard platform openapi prints"
	groups := map[string]*group{}
	var order []*group
	for _, x := range r.rec.Recorded() {
		for _, f := range r.doc.Judge(x) {
			g := groups[general(f.Text)]
			if g == nil {
				g = &group{Fault: f, first: x}
				groups[general(f.Text)] = g
				order = append(order, g)
			}
			if !slices.Contains(g.operations, x.Operation) {
				g.operations = append(g.operations, x.Operation)
			}
		}
	}
	for _, g := range order {
		g.report(c)
	}
}

// group is one fault in answers of some operations.
type group struct {
	record.Fault

	first      *record.Exchange
	operations []string
}

// report adds the fault to a check, with the first request that shows it.
func (g *group) report(c *result.Check) {
	text := strings.Join(g.operations, ", ") + ": " + g.Text
	if g.Note {
		c.Note("%s", text)
		return
	}
	c.Wrong("%s", text)
	if shown := g.first.Text(); len(c.Exchanges) < 5 && !slices.Contains(c.Exchanges, shown) {
		c.Exchanges = append(c.Exchanges, shown)
	}
}

// included sees that the answer to a command includes it. The first answer that does not is enough.
func (r *run) included() {
	c := r.check("the answer to a command includes it")
	if c == nil || r.cfg.OpenAPIOnly {
		return
	}
	c.About = "200 with the alert after the command: last_command is its number, or greater"
	for _, x := range r.rec.Recorded() {
		s, ok := record.Read[wire.AlertSnapshot](x)
		if x.Operation != "command" || !ok {
			continue
		}
		_, number, _ := strings.Cut(record.WithoutQuery(x.Target), "/commands/")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && s.LastCommand < n {
			c.Wrong("A command was answered with an alert whose last_command is smaller than its number: callers wait for a snapshot that includes their command.")
			c.Exchanges = []string{x.Text()}
			return
		}
	}
}

// general is a fault's text without what differs from one answer to the next. It is the key by
// which equal faults are found.
func general(text string) string {
	return digits.ReplaceAllString(quotedText.ReplaceAllString(text, `"…"`), "0")
}

var (
	digits     = regexp.MustCompile(`[0-9]+`)
	quotedText = regexp.MustCompile(`"[^"]*"`)
)
