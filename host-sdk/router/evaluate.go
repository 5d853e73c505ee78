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

// Limits of an evaluation.
const (
	MaxFactsBytes = 1 << 20   // of facts as JSON
	MaxFactsDepth = 64        // facts nested deeper are not seen
	maxSteps      = 2_000_000 // values looked at, by all rules together
)

// Verdict is what rules say.
type Verdict struct {
	Receivers []string // of all assign actions of the rule that matched, in written order, without doubles; empty: the default receiver's turn
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

// Evaluate finds the first rule that matches facts at the moment now. Facts may hold whatever encoding/json can write; always is
// added. It never fails: a rule that cannot be decided is noted and counts as no match.
func (r *Router) Evaluate(facts map[string]any, now time.Time) Verdict {
	e := &evaluation{now: now}
	seen := make(map[string]any, len(facts)+1)
	for name, v := range facts {
		value, ok := plainValue(v, 0)
		if !ok {
			e.notes = append(e.notes, fmt.Sprintf("the fact %q cannot be seen by rules", name))
			continue
		}
		seen[name] = value
	}
	slices.Sort(e.notes) // a map has no order
	seen["always"] = true
	root := []candidate{{value: seen, own: true, end: true}}
	for i := range r.rules {
		matched, err := e.try(r.rules[i].match, root)
		if err != nil {
			e.notes = append(e.notes, fmt.Sprintf("rule %d failed and counts as no match: %v", i+1, err))
			continue
		}
		if !matched {
			continue
		}
		v := Verdict{Rule: i + 1, Notes: e.notes}
		for _, id := range r.rules[i].receivers {
			if !slices.Contains(v.Receivers, id) {
				v.Receivers = append(v.Receivers, id)
			}
		}
		for _, kind := range r.rules[i].skipped {
			v.Notes = append(v.Notes, fmt.Sprintf("rule %d: the action %s does nothing for a call", i+1, kind))
		}
		return v
	}
	return Verdict{Notes: e.notes}
}

// evaluation is the state of one Evaluate.
type evaluation struct {
	now      time.Time
	steps    int
	timeouts int
	err      error // that the budget is spent
	notes    []string
}

// spend counts one value looked at; false when there is no budget left.
func (e *evaluation) spend() bool {
	e.steps++
	if e.steps > maxSteps {
		e.err = fmt.Errorf("more than %d values were looked at", maxSteps)
	}
	return e.err == nil
}

// try shields the call from a defect in matching: a rule that panics has failed, and the next one is tried.
func (e *evaluation) try(t test, root []candidate) (matched bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			matched, err = false, fmt.Errorf("matching broke: %v", p)
		}
	}()
	if e.err != nil {
		return false, e.err
	}
	return t.holds(e, root)
}

// plainValue turns a fact into the five types that tests know; false when it has no such form or is nested too deep.
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
