package router

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
)

// equal is strict: no type is turned into another. Only null and missing equal each other. Mappings are equal whatever the
// order of their keys, lists only in order.
func equal(a, b any) bool {
	switch x := a.(type) {
	case nil, missing:
		return b == nil || b == (missing{})
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case float64:
		y, ok := b.(float64)
		return ok && x == y
	case string:
		y, ok := b.(string)
		return ok && x == y
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !equal(v, w) {
				return false
			}
		}
		return true
	}
	return false
}

// inOrder reports "value op operand" for operands of the same type. A missing value counts as null; null is only ever equal
// to null.
func inOrder(op string, value, operand any) bool {
	compared, ok := 0, false
	switch x := value.(type) {
	case nil, missing:
		return operand == nil && (op == "$lte" || op == "$gte")
	case bool:
		if y, same := operand.(bool); same {
			compared, ok = number(x)-number(y), true
		}
	case float64:
		if y, same := operand.(float64); same && !math.IsNaN(x) && !math.IsNaN(y) {
			ok = true
			switch {
			case x < y:
				compared = -1
			case x > y:
				compared = 1
			}
		}
	case string:
		if y, same := operand.(string); same {
			compared, ok = compareText(x, y), true
		}
	}
	if !ok {
		return false
	}
	switch op {
	case "$gt":
		return compared > 0
	case "$gte":
		return compared >= 0
	case "$lt":
		return compared < 0
	default:
		return compared <= 0
	}
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compareText orders by UTF-16 units, as ECMAScript does. It differs from the order of bytes beyond the basic plane only.
func compareText(a, b string) int {
	x, y := utf16.Encode([]rune(a)), utf16.Encode([]rune(b))
	for i := 0; i < len(x) && i < len(y); i++ {
		if x[i] != y[i] {
			return int(x[i]) - int(y[i])
		}
	}
	return len(x) - len(y)
}

// toNumber is ECMAScript's conversion, which $mod applies; NaN for what is no number.
func toNumber(v any) float64 {
	switch x := v.(type) {
	case nil:
		return 0
	case bool:
		return float64(number(x))
	case float64:
		return x
	case string:
		return textToNumber(strings.TrimSpace(x))
	case []any:
		switch len(x) {
		case 0:
			return 0
		case 1:
			if _, isBool := x[0].(bool); !isBool { // a list is joined to text first, and "true" is no number
				return toNumber(x[0])
			}
		}
	}
	return math.NaN()
}

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
