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
	MaxFactsDepth = 64        // facts nested deeper are not seen
	maxSteps      = 2_000_000 // of all rules together; about half a second at worst

	// instructionsPerStep is how much work of a pattern counts as one step: an instruction on one character is
	// cheaper than looking a value up.
	instructionsPerStep = 16
)

// Verdict is what rules say.
type Verdict struct {
	Receivers []string // of all assign actions of the rule that matched, in written order, each once; empty: the default receiver's turn
	Rule      int      // the rule that matched, from 1; 0: none
	Notes     []string // for a log: rules that failed and counted as no match, actions that do nothing
}

// EvaluateJSON is [Router.Evaluate] of a JSON object. An error means that these are no facts.
func (r *Router) EvaluateJSON(facts []byte, now time.Time) (Verdict, error) {
	if len(facts) > MaxFactsBytes {
		return Verdict{}, fmt.Errorf("facts: %d bytes are more than %d", len(facts), MaxFactsBytes)
	}
	var values map[string]any
	if len(bytes.TrimSpace(facts)) > 0 {
		d := json.NewDecoder(bytes.NewReader(facts))
		if err := d.Decode(&values); err != nil {
			return Verdict{}, fmt.Errorf("facts are not a JSON object: %w", err)
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return Verdict{}, errors.New("facts: something follows the JSON object")
		}
	}
	return r.Evaluate(values, now), nil
}

// Evaluate finds the first rule that matches facts at the time now. Facts may hold whatever encoding/json can write;
// always is added. It never fails: a rule that cannot be decided is noted and counts as no match.
func (r *Router) Evaluate(facts map[string]any, now time.Time) Verdict {
	e := &evaluation{now: now}
	var notes []string
	seen := make(map[string]any, len(facts)+1)
	for name, v := range facts {
		value, ok := plainValue(v, 0)
		if !ok {
			notes = append(notes, fmt.Sprintf("the fact %q cannot be seen by rules", name))
			continue
		}
		seen[name] = value
	}
	slices.Sort(notes) // a map has no order
	seen["always"] = true
	root := []candidate{{value: seen, own: true, end: true}}
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

// evaluation is the state of one Evaluate.
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

// try shields the call from a defect in matching: a rule that panics has failed, and the next one is tried.
func (e *evaluation) try(r rule, root []candidate) (matched bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			matched, err = false, fmt.Errorf("matching broke: %v", p)
		}
	}()
	if r.never != "" {
		return false, errors.New(r.never)
	}
	matched = e.err == nil && r.match(e, root)
	return matched && e.err == nil, e.err
}

// plainValue turns a fact into the types that tests know; false when it has no such form or is nested too deep.
func plainValue(v any, depth int) (any, bool) {
	if depth > MaxFactsDepth {
		return nil, false
	}
	switch x := v.(type) {
	case nil, bool, float64, string:
		return x, true
	case []any:
		out := make([]any, len(x))
		for i := range x {
			item, ok := plainValue(x[i], depth+1)
			if !ok {
				return nil, false
			}
			out[i] = item
		}
		return out, true
	case map[string]any:
		out := make(map[string]any, len(x))
		for k := range x {
			item, ok := plainValue(x[k], depth+1)
			if !ok {
				return nil, false
			}
			out[k] = item
		}
		return out, true
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, false
	}
	var out any
	if json.Unmarshal(text, &out) != nil {
		return nil, false
	}
	return plainValue(out, depth)
}
