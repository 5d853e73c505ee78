package router

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// test is a condition on the values that a path led to.
type test interface {
	holds(e *evaluation, on []candidate) (bool, error)
}

// anyCandidate reports whether one of the candidates passes.
func anyCandidate(on []candidate, passes func(candidate) bool) (bool, error) {
	for _, c := range on {
		if passes(c) {
			return true, nil
		}
	}
	return false, nil
}

// allOf holds when every test does.
type allOf []test

func (a allOf) holds(e *evaluation, on []candidate) (bool, error) {
	for _, t := range a {
		if ok, err := t.holds(e, on); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// anyOf holds when one test does.
type anyOf []test

func (a anyOf) holds(e *evaluation, on []candidate) (bool, error) {
	for _, t := range a {
		if ok, err := t.holds(e, on); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

type notTest struct{ of test }

func (n notTest) holds(e *evaluation, on []candidate) (bool, error) {
	ok, err := n.of.holds(e, on)
	return !ok, err
}

// queryTest is a mapping: its operators look at the values themselves, its fields at what is below them.
type queryTest struct {
	self   allOf
	fields []fieldTest
}

func (q queryTest) holds(e *evaluation, on []candidate) (bool, error) {
	if len(q.self) > 0 {
		if ok, err := (fieldTest{tests: q.self}).holds(e, on); !ok || err != nil {
			return false, err
		}
	}
	for _, f := range q.fields {
		if ok, err := f.holds(e, on); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

type fieldTest struct {
	path  []string
	tests allOf
}

func (f fieldTest) holds(e *evaluation, on []candidate) (bool, error) {
	var found []candidate
	for _, c := range on {
		found = e.walk(found, c, f.path)
	}
	if e.err != nil {
		return false, e.err
	}
	return f.tests.holds(e, found)
}

// equalTest holds when a value is equal. An element that a list does not have is not even null.
type equalTest struct{ value any }

func (t equalTest) holds(_ *evaluation, on []candidate) (bool, error) {
	return anyCandidate(on, func(c candidate) bool { return (!c.inList || c.own) && equal(t.value, c.value) })
}

// sparing is the equality under $ne, for which an element that a list does not have is null.
func (t equalTest) sparing() test { return inTest{t.value} }

// inTest holds when a value equals one of several.
type inTest []any

func (t inTest) holds(_ *evaluation, on []candidate) (bool, error) {
	return anyCandidate(on, func(c candidate) bool {
		if c.absentFromList() {
			return false
		}
		for _, v := range t {
			if equal(v, c.value) {
				return true
			}
		}
		return false
	})
}

type orderTest struct {
	op    string
	value any
}

func (t orderTest) holds(_ *evaluation, on []candidate) (bool, error) {
	return anyCandidate(on, func(c candidate) bool { return (!c.inList || c.own) && inOrder(t.op, c.value, t.value) })
}

type existsTest struct{}

func (existsTest) holds(_ *evaluation, on []candidate) (bool, error) {
	return anyCandidate(on, func(c candidate) bool { return c.end && c.own })
}

type modTest struct{ divisor, remainder float64 }

func (t modTest) holds(_ *evaluation, on []candidate) (bool, error) {
	return anyCandidate(on, func(c candidate) bool {
		return (!c.inList || c.own) && math.Mod(toNumber(c.value), t.divisor) == t.remainder
	})
}

type sizeTest int

func (t sizeTest) holds(_ *evaluation, on []candidate) (bool, error) {
	return anyCandidate(on, func(c candidate) bool {
		list, ok := c.value.([]any)
		return ok && len(list) == int(t)
	})
}

type typeTest string

func (t typeTest) holds(_ *evaluation, on []candidate) (bool, error) {
	return anyCandidate(on, func(c candidate) bool {
		if c.inList && !c.own {
			return false
		}
		switch c.value.(type) {
		case nil:
			return t == "null"
		case bool:
			return t == "bool"
		case float64:
			return t == "number"
		case string:
			return t == "string"
		case []any:
			return t == "array"
		}
		return false
	})
}

// elemMatchTest holds when one element of a list satisfies the whole query.
type elemMatchTest struct{ query test }

func (t elemMatchTest) holds(e *evaluation, on []candidate) (bool, error) {
	for _, c := range on {
		list, ok := c.value.([]any)
		if !ok {
			continue
		}
		for _, element := range list {
			if ok, err := t.query.holds(e, []candidate{{value: element, own: true, inList: true, numeric: true, end: true}}); ok || err != nil {
				return ok, err
			}
		}
		if !c.inMap { // lists inside lists are not searched
			return false, nil
		}
	}
	return false, nil
}

// regexTest holds when a text matches. It can fail: patterns may go back and forth without end.
type regexTest struct{ re *regexp2.Regexp }

// Limits of matching. Webhooks have seconds: a pattern that is slow on a short text is a pattern that has run wild. The engine looks
// at its clock ten times a second, so that a time-out takes up to 0.2 s.
const (
	matchTimeout = 50 * time.Millisecond
	maxSubject   = 16 << 10 // characters
	maxTimeouts  = 3        // of one evaluation; then no pattern is tried any more
)

func (t regexTest) holds(e *evaluation, on []candidate) (bool, error) {
	for _, c := range on {
		text, ok := c.value.(string)
		if !ok {
			continue
		}
		if utf8.RuneCountInString(text) > maxSubject {
			return false, fmt.Errorf("$regex: the text has more than %d characters", maxSubject)
		}
		if e.timeouts >= maxTimeouts {
			return false, fmt.Errorf("$regex: not tried, as %d patterns were too slow before", maxTimeouts)
		}
		found, err := t.re.MatchString(text)
		if err != nil {
			e.timeouts++
			return false, fmt.Errorf("$regex: the pattern took more than %s", matchTimeout)
		}
		if found {
			return true, nil
		}
	}
	return false, nil
}
