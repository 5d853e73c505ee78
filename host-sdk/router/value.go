package router

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// equal is strict: no type is turned into another. Only null and missing equal each other. Mappings
// are equal whatever the order of their keys, lists only in order. Both sides are what
// encoding/json or yamltree makes: nil, bool, float64, string, list, mapping.
func equal(a, b any) bool {
	switch x := a.(type) {
	case nil, missing:
		return b == nil || b == (missing{})
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equal)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			if w, ok := y[k]; !ok || !equal(v, w) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case bool, float64, string:
		return a == b
	}
	return false
}

// inOrder reports "value op operand" for operands of the same type. A missing value counts as null;
// null is only ever equal to null.
func inOrder(op string, value, operand any) bool {
	var order int
	switch x := value.(type) {
	case nil, missing:
		return operand == nil && (op == "$lte" || op == "$gte")
	case bool:
		y, same := operand.(bool)
		if !same {
			return false
		}
		order = cmp.Compare(toNumber(x), toNumber(y))
	case float64:
		y, same := operand.(float64)
		if !same || math.IsNaN(x) || math.IsNaN(y) {
			return false
		}
		order = cmp.Compare(x, y)
	case string:
		y, same := operand.(string)
		if !same {
			return false
		}
		// ECMAScript orders by UTF-16 units, which differs from the order of bytes beyond the basic
		// plane.
		order = slices.Compare(utf16.Encode([]rune(x)), utf16.Encode([]rune(y)))
	default:
		return false
	}
	switch op {
	case "$gt":
		return order > 0
	case "$gte":
		return order >= 0
	case "$lt":
		return order < 0
	default:
		return order <= 0
	}
}

// toNumber is ECMAScript's conversion, which $mod applies; NaN for what is no number.
func toNumber(v any) float64 {
	switch x := v.(type) {
	case nil:
		return 0
	case bool:
		if x {
			return 1
		}
		return 0
	case float64:
		return x
	case string:
		return textToNumber(strings.TrimSpace(x))
	case []any:
		if len(x) == 0 {
			return 0
		}
		if _, isBool := x[0].(bool); len(x) == 1 && !isBool {
			// A list is joined to text first, and "true" is no number.
			return toNumber(x[0])
		}
	}
	return math.NaN()
}

// textToNumber is ECMAScript's Number() of a text without space around it. Go's own parsers accept
// more than ECMAScript, such as 1_000 and Inf, so what is not of its syntax is sorted out first.
func textToNumber(s string) float64 {
	switch {
	case s == "":
		return 0
	case len(s) > 2 && s[0] == '0' && strings.ContainsRune("xXoObB", rune(s[1])):
		n, err := strconv.ParseUint(s, 0, 64)
		if err != nil || strings.Contains(s, "_") {
			return math.NaN()
		}
		return float64(n)
	case strings.Trim(s, "0123456789.eE+-") != "": // no inf, nan, hexadecimal floats, underscores
		return math.NaN()
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return n
}
