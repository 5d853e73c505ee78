package result

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Outcome is how a check ended.
type Outcome string

// The outcomes. A note is no fault: it says what is slow, unusual or of no use.
const (
	Right     Outcome = "right"
	Wrong     Outcome = "wrong"
	Noted     Outcome = "note"
	Skipped   Outcome = "skipped"    // not asked for, or of a capability that is not claimed
	NotTested Outcome = "not tested" // could not be
)

// Report is what came out. Its JSON is read by programs; names are not changed.
type Report struct {
	URL         string     `json:"url"`
	Platform    string     `json:"platform,omitempty"` // name and version
	Integration string     `json:"integration"`
	Hints       string     `json:"hints,omitempty"`
	Outcome     Outcome    `json:"outcome"` // right, wrong or not tested
	Steps       []*Step    `json:"steps"`
	Endpoints   []Endpoint `json:"endpoints"`
	Requests    int        `json:"requests"`
	Alerts      int        `json:"alerts"` // made on the platform
	Seconds     float64    `json:"seconds"`
}

// Step is a group of checks.
type Step struct {
	Name   string   `json:"name"`
	Checks []*Check `json:"checks"`
}

// Check is one question and how it was answered. It begins as right and gets worse.
type Check struct {
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	// Says is what is wrong, or why the check was left out; each is a sentence or two.
	Says []string `json:"says,omitempty"`
	// About says what is expected and why, where something is wrong.
	About string `json:"about,omitempty"`
	// Exchanges are the last requests before the fault, with their answers.
	Exchanges []string `json:"exchanges,omitempty"`
}

// Endpoint is how an operation of the OpenAPI document answered.
type Endpoint struct {
	Operation string  `json:"operation"`
	Requests  int     `json:"requests"`
	MedianMs  float64 `json:"median_ms"`
	SlowestMs float64 `json:"slowest_ms"`
}

// Wrong adds a fault.
func (c *Check) Wrong(format string, args ...any) {
	c.Outcome = Wrong
	c.Say(format, args...)
}

// Note adds something that is no fault. It makes a right check a noted one, and changes no other.
func (c *Check) Note(format string, args ...any) {
	if c.Outcome == Right {
		c.Outcome = Noted
	}
	c.Say(format, args...)
}

// Leave ends a check without a result. A fault that was found before stays one.
func (c *Check) Leave(outcome Outcome, format string, args ...any) {
	if c.Outcome != Wrong {
		c.Outcome = outcome
	}
	c.Say(format, args...)
}

// Say adds a sentence, unless it is there.
func (c *Check) Say(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(c.Says, text) {
		c.Says = append(c.Says, text)
	}
}

// Settle decides what the whole is. One fault makes it wrong; without any, one check that could not
// be made leaves it not tested.
func (r *Report) Settle(took time.Duration) {
	r.Seconds = took.Round(10 * time.Millisecond).Seconds()
	r.Outcome = Right
	for outcome := range r.Each() {
		switch {
		case outcome.Outcome == Wrong:
			r.Outcome = Wrong
		case outcome.Outcome == NotTested && r.Outcome == Right:
			r.Outcome = NotTested
		}
	}
}

// Order puts what is wrong with answers before what follows from it: a misspelt member makes many
// tests of behaviour fail. Steps without checks are left out.
func (r *Report) Order() {
	last := len(r.Steps) - 1
	if at := slices.IndexFunc(r.Steps, func(s *Step) bool { return s.Name == "first commands" }); at >= 0 {
		r.Steps = slices.Insert(r.Steps[:last:last], at, r.Steps[last])
	}
	r.Steps = slices.DeleteFunc(r.Steps, func(s *Step) bool { return len(s.Checks) == 0 })
}

// Each goes through all checks.
func (r *Report) Each() func(func(*Check) bool) {
	return func(yield func(*Check) bool) {
		for _, s := range r.Steps {
			for _, c := range s.Checks {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// JSON writes the report for programs.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// Text writes the report for people. It is written at once, so that nothing comes in between on a
// terminal.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	if r.Platform != "" {
		fmt.Fprintf(&b, "%s at %s\n", r.Platform, r.URL)
	} else {
		fmt.Fprintf(&b, "%s\n", r.URL)
	}
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "\n%s\n", s.Name)
		for _, c := range s.Checks {
			c.text(&b)
		}
	}
	r.times(&b)
	fmt.Fprintf(&b, "\n%s\n", r.verdict())
	_, err := io.WriteString(w, b.String())
	return err
}

// marks stand before a check's name.
var marks = map[Outcome]string{Right: "ok", Wrong: "WRONG", Noted: "note", Skipped: "skipped", NotTested: "not tested"}

// text writes a check; what was expected and what was seen is shown for a fault alone.
func (c *Check) text(b *strings.Builder) {
	fmt.Fprintf(b, "  %-10s  %s\n", marks[c.Outcome], c.Name)
	for _, text := range c.Says {
		paragraph(b, text)
	}
	if c.Outcome != Wrong {
		return
	}
	if c.About != "" {
		paragraph(b, "Expected: "+c.About)
	}
	for _, text := range c.Exchanges {
		for line := range strings.SplitSeq(text, "\n") {
			fmt.Fprintf(b, "                | %s\n", line)
		}
	}
}

const (
	indent = 14
	width  = 100
)

// paragraph writes text below a check's name, in lines of no more than width. Line breaks of the
// text stay.
func paragraph(b *strings.Builder, text string) {
	for part := range strings.SplitSeq(text, "\n") {
		column := 0
		for word := range strings.FieldsSeq(part) {
			switch {
			case column == 0:
				b.WriteString(strings.Repeat(" ", indent))
				column = indent
			case column+1+len(word) > width:
				b.WriteString("\n" + strings.Repeat(" ", indent+2))
				column = indent + 2
			default:
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += len(word)
		}
		b.WriteByte('\n')
	}
}

// times writes a table of how long operations took.
func (r *Report) times(b *strings.Builder) {
	if len(r.Endpoints) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%-14s %9s %12s %12s\n", "operation", "requests", "median ms", "slowest ms")
	for _, e := range r.Endpoints {
		fmt.Fprintf(b, "%-14s %9d %12.1f %12.1f\n", e.Operation, e.Requests, e.MedianMs, e.SlowestMs)
	}
}

// verdict is the last line. It names the checks that decided it.
func (r *Report) verdict() string {
	count := map[Outcome]int{}
	total := 0
	var list strings.Builder
	for _, s := range r.Steps {
		for _, c := range s.Checks {
			count[c.Outcome]++
			total++
			if c.Outcome == r.Outcome && c.Outcome != Right {
				fmt.Fprintf(&list, "\n  %s: %s", s.Name, c.Name)
			}
		}
	}
	sum := fmt.Sprintf("%d requests and %d alerts in %.1f s; integration %s", r.Requests, r.Alerts, r.Seconds, r.Integration)
	switch r.Outcome {
	case Wrong:
		return fmt.Sprintf("WRONG: %d of %d checks found a fault. Mend the first ones first, as later ones may follow from them:%s\n(%s)", count[Wrong], total, list.String(), sum)
	case NotTested:
		return fmt.Sprintf("Nothing wrong was found, but %d of %d checks could not be made:%s\n(%s)", count[NotTested], total, list.String(), sum)
	default:
		return fmt.Sprintf("Right: %d checks, of which %d were skipped and %d have a note (%s)", total, count[Skipped], count[Noted], sum)
	}
}
