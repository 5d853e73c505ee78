package router

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Limits of an evaluation. They are counted, not timed: a busy machine decides as an idle one does.
const (
	MaxFactsBytes = 1 << 20   // of facts as JSON
	maxSteps      = 2_000_000 // of all rules together; about half a second at worst

	// costPerStep is how much work of a pattern counts as one step: an instruction on one byte is
	// cheaper than looking a value up.
	costPerStep = 16
)

// Verdict is what rules say.
type Verdict struct {
	// Of all assign actions of the rule that matched, in written order, each once; empty: the
	// default receiver's turn.
	Receivers []string
	Rule      int // the rule that matched, from 1; 0: none
	// For a log: rules that failed and counted as no match, actions that do nothing.
	Notes []string
}

// Evaluate finds the first rule that matches facts, a JSON object, at the time now; always is
// added. An error means that these are no facts. A rule that cannot be decided is no error: it is
// noted and counts as no match. A Router is not changed by it, so many goroutines may evaluate at
// once. It takes its time from now alone, so a test of rules can ask about any moment.
func (r *Router) Evaluate(facts []byte, now time.Time) (Verdict, error) {
	if len(facts) > MaxFactsBytes {
		return Verdict{}, fmt.Errorf("facts: %d bytes are more than %d", len(facts), MaxFactsBytes)
	}
	values := map[string]any{}
	if len(bytes.TrimSpace(facts)) > 0 {
		d := json.NewDecoder(bytes.NewReader(facts))
		if err := d.Decode(&values); err != nil {
			return Verdict{}, fmt.Errorf("facts are not a JSON object: %w", err)
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return Verdict{}, errors.New("facts: something follows the JSON object")
		}
	}
	if values == nil { // the JSON null
		return Verdict{}, errors.New("facts are not a JSON object but null")
	}
	// Rules of PagerTree ask for it to match every call.
	values["always"] = true
	return r.evaluate(values, now), nil
}

// evaluate tries rule after rule; notes are in their order.
func (r *Router) evaluate(facts map[string]any, now time.Time) Verdict {
	e := &evaluation{now: now}
	var notes []string
	root := []candidate{{value: facts, own: true, end: true}}
	for i, rule := range r.rules {
		matched, err := e.try(rule, root)
		if err != nil {
			notes = append(notes, fmt.Sprintf("rule %d failed and counts as no match: %v", i+1, err))
			continue
		}
		if !matched {
			continue
		}
		for _, kind := range rule.idle {
			notes = append(notes, fmt.Sprintf("rule %d: the action %s does nothing for a call", i+1, kind))
		}
		return Verdict{Rule: i + 1, Receivers: slices.Clone(rule.receivers), Notes: notes}
	}
	return Verdict{Notes: notes}
}

// evaluation is the state of one Evaluate. Steps are counted over all rules: one router must not
// take longer because it has many of them.
type evaluation struct {
	now   time.Time
	steps int
	err   error // that too many steps were taken: no rule can be decided any more
}

// spend counts steps; false when there are none left.
func (e *evaluation) spend(steps int) bool {
	e.steps += steps
	if e.steps > maxSteps {
		e.err = fmt.Errorf("matching took more than %d steps", maxSteps)
	}
	return e.err == nil
}

// try shields the call from a defect in matching: a rule that panics has failed, and the next one
// is tried. The call goes on with the next rule or the default receiver: no defect here may cost a
// caller the call.
func (e *evaluation) try(r rule, root []candidate) (matched bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			matched, err = false, fmt.Errorf("matching broke: %v", p)
		}
	}()
	matched = e.err == nil && r.match(e, root)
	return matched && e.err == nil, e.err
}
