package router

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
)

// missing is the value of something that is not there. It equals null.
type missing struct{}

// candidate is a value that a test looks at, and where it was found.
type candidate struct {
	value   any  // nil, missing, bool, float64, string, []any, map[string]any
	own     bool // its holder really has it
	inList  bool // its holder is a list
	inMap   bool // its holder is a mapping
	numeric bool // it was looked up by a number
	end     bool // the path was followed to its end
}

// absentFromList: a name was looked up in a list, which has elements only. Such a lookup is no value at all, not even a
// missing one; the elements have been looked at on their own.
func (c candidate) absentFromList() bool { return c.inList && !c.own && !c.numeric }

// walk follows a path from a value and appends everything it leads to. Where a name meets a list, and where the path ends at
// one, the elements are looked at first and then the list itself.
func (e *evaluation) walk(out []candidate, from candidate, path []string) []candidate {
	start := from.end
	return e.step(out, from, path, 0, start)
}

func (e *evaluation) step(out []candidate, at candidate, path []string, depth int, start bool) []candidate {
	if !e.spend() {
		return out
	}
	if list, ok := at.value.([]any); ok && (depth == len(path) || !isNumeric(path[depth]) && path[depth] != "length") {
		for _, element := range list {
			out = e.step(out, candidate{value: element, own: true, inList: true, numeric: true}, path, depth, start)
		}
	}
	if depth == len(path) || at.value == nil || at.value == (missing{}) {
		at.end = depth == len(path) && (depth > 0 || start)
		return append(out, at)
	}
	return e.step(out, lookUp(at.value, path[depth]), path, depth+1, true)
}

// lookUp finds what a value holds under a name. Lists have elements by number, and a length.
func lookUp(holder any, name string) candidate {
	found := candidate{value: missing{}, numeric: isNumeric(name)}
	switch h := holder.(type) {
	case map[string]any:
		found.inMap = true
		if v, ok := h[name]; ok {
			found.value, found.own = v, true
		}
	case []any:
		found.inList = true
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(h) && strconv.Itoa(i) == name {
			found.value, found.own = h[i], true
		} else if name == "length" {
			found.value, found.own = float64(len(h)), true
		}
	case string: // texts have a length and characters by number, in UTF-16 units
		units := utf16.Encode([]rune(h))
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(units) && strconv.Itoa(i) == name {
			found.value, found.own = string(utf16.Decode(units[i:i+1])), true
		} else if name == "length" {
			found.value, found.own = float64(len(units)), true
		}
	}
	return found
}

func isNumeric(name string) bool {
	return !math.IsNaN(textToNumber(strings.TrimSpace(name)))
}
