package router

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
)

// missing is the value of something that is not there. It equals null.
type missing struct{}

// candidate is a value that a test looks at, and where it was found. A list under a field gives
// several of them, each element and then the list, so a condition holds where any of them meets it:
// call.tags: x is true of a list with x in it.
type candidate struct {
	value   any  // nil, missing, bool, float64, string, []any, map[string]any
	own     bool // its holder really has it
	inList  bool // its holder is a list
	inMap   bool // its holder is a mapping
	numeric bool // it was looked up by a number
	end     bool // the path was followed to its end
}

// absentFromList reports whether a name was looked up in a list, which has elements only. Such a
// lookup is no value at all, not even a missing one; the elements have been looked at on their own.
func (c candidate) absentFromList() bool { return c.inList && !c.own && !c.numeric }

// follow applies a test to everything that a path leads to. An empty path leads to the values
// themselves, and to the elements of lists among them.
func follow(path []string, t test) test {
	return func(e *evaluation, on []candidate) bool {
		var found []candidate
		for _, c := range on {
			found = e.step(found, c, path, 0, c.end)
		}
		return e.err == nil && t(e, found)
	}
}

// step follows path[depth:] from a value and appends everything it leads to. Where a name meets a
// list, and where the path ends at one, the elements are looked at first and then the list itself.
// start is whether the value that the path begins at was itself found at the end of one: an empty
// path adds nothing to that. Each call spends a step, so lists within lists cannot take for ever.
func (e *evaluation) step(out []candidate, at candidate, path []string, depth int, start bool) []candidate {
	if !e.spend(1) {
		return out
	}
	if list, ok := at.value.([]any); ok && (depth == len(path) || !isNumeric(path[depth]) && path[depth] != "length") {
		for _, element := range list {
			out = e.step(out, candidate{value: element, own: true, inList: true, numeric: true}, path, depth, start)
		}
	}
	// Nothing is below null, or below what is missing: that itself is what was found.
	if depth == len(path) || at.value == nil || at.value == (missing{}) {
		at.end = depth == len(path) && (depth > 0 || start)
		return append(out, at)
	}
	return e.step(out, lookUp(at.value, path[depth]), path, depth+1, true)
}

// lookUp finds what a value holds under a name. As in ECMAScript, lists and texts have elements by
// number, and a length; those of texts are UTF-16 units.
func lookUp(holder any, name string) candidate {
	found := candidate{value: missing{}, numeric: isNumeric(name)}
	length, element := -1, func(int) any { return nil }
	switch h := holder.(type) {
	case map[string]any:
		found.inMap = true
		if v, ok := h[name]; ok {
			found.value, found.own = v, true
		}
	case []any:
		found.inList = true
		length, element = len(h), func(i int) any { return h[i] }
	case string:
		units := utf16.Encode([]rune(h))
		length, element = len(units), func(i int) any { return string(utf16.Decode(units[i : i+1])) }
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < length && strconv.Itoa(i) == name {
		found.value, found.own = element(i), true
	} else if name == "length" && length >= 0 {
		found.value, found.own = float64(length), true
	}
	return found
}

// isNumeric reports whether ECMAScript would take a name for an index.
func isNumeric(name string) bool {
	return !math.IsNaN(textToNumber(strings.TrimSpace(name)))
}
