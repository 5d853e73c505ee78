package router

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
	"github.com/livecallrouting/livecall/host-sdk/router/internal/ecmascript"
)

// fieldOperators are the operators that stand under a field. They are those of sift, the library
// behind PagerTree's rules, as far as facts in JSON can be asked.
var fieldOperators = []string{
	"$all", "$elemMatch", "$eq", "$exists", "$gt", "$gte", "$in", "$lt", "$lte", "$mod", "$ne", "$nin", "$not", "$options", "$regex",
	"$size", "$type",
}

// operatorNames lists all operators for a message.
var operatorNames = strings.Join(append(slices.Clone(fieldOperators), "$and", "$or", "$nor", "$day", "$now", "$timeBetween"), ", ")

// isOperator reports whether a key may stand under a field.
func isOperator(name string) bool { return slices.Contains(fieldOperators, name) }

// test is a condition on the values that a path led to. It is made once when rules are read, and
// run for each call. It must not change what it looks at.
type test func(e *evaluation, on []candidate) bool

// allOf stops at the first test that fails, which also saves steps. Without tests it holds.
func allOf(tests ...test) test {
	return func(e *evaluation, on []candidate) bool {
		return !slices.ContainsFunc(tests, func(t test) bool { return !t(e, on) })
	}
}

// anyOf stops at the first test that holds. Without tests it does not hold.
func anyOf(tests ...test) test {
	return func(e *evaluation, on []candidate) bool {
		return slices.ContainsFunc(tests, func(t test) bool { return t(e, on) })
	}
}

// not turns a test round: what fails for every value holds.
func not(t test) test { return func(e *evaluation, on []candidate) bool { return !t(e, on) } }

// anyValue holds when one of the values passes.
func anyValue(passes func(candidate) bool) test {
	return func(_ *evaluation, on []candidate) bool { return slices.ContainsFunc(on, passes) }
}

// anyPresent is anyValue that passes over elements which a list does not have: they are not even
// null. passes gets the value alone, as most operators do not care where it was found.
func anyPresent(passes func(value any) bool) test {
	return anyValue(func(c candidate) bool { return (!c.inList || c.own) && passes(c.value) })
}

// equals holds when a value equals another as a whole. null also equals what is missing, as in
// sift.
func equals(value any) test { return anyPresent(func(v any) bool { return equal(value, v) }) }

// oneOf holds when a value equals one of several. Unlike for equals, an element that a list does
// not have is null.
func oneOf(values ...any) test {
	return anyValue(func(c candidate) bool {
		return !c.absentFromList() && slices.ContainsFunc(values, func(v any) bool { return equal(v, c.value) })
	})
}

// exists holds when the path was followed to its end and something is there.
var exists = anyValue(func(c candidate) bool { return c.end && c.own })

// elemMatch holds when one element of a list satisfies the whole query. c is the value under the
// field; each of its elements is looked at as if it were a value of its own.
func elemMatch(query test) test {
	return func(e *evaluation, on []candidate) bool {
		for _, c := range on {
			list, ok := c.value.([]any)
			for _, element := range list {
				if query(e, []candidate{{value: element, own: true, inList: true, numeric: true, end: true}}) {
					return true
				}
			}
			if ok && !c.inMap { // lists inside lists are not searched
				return false
			}
		}
		return false
	}
}

// matches holds when a pattern is found in a text. Texts alone are searched: a number is not turned
// into one. Without steps left it does not match, and the evaluation fails.
func matches(p *ecmascript.Pattern) test {
	return func(e *evaluation, on []candidate) bool {
		return slices.ContainsFunc(on, func(c candidate) bool {
			text, ok := c.value.(string)
			return ok && e.spend(p.Cost(text)/costPerStep) && p.Match(text)
		})
	}
}

// typeNames are the aliases of $type, by what facts can be. No fact is a timestamp: facts are JSON.
var typeNames = []string{"number", "string", "bool", "array", "null", "timestamp"}

// hasType never finds a timestamp: facts are JSON, which has none. A list counts as an array only
// as a whole; its elements are looked at first, as candidates of their own.
func hasType(name string) test {
	return anyPresent(func(value any) bool {
		switch value.(type) {
		case nil:
			return name == "null"
		case bool:
			return name == "bool"
		case float64:
			return name == "number"
		case string:
			return name == "string"
		case []any:
			return name == "array"
		}
		return false
	})
}

// operator compiles one operator of mapping n; nil after a problem, and for $options, which belongs
// to $regex. n is the mapping around it, since $regex has its flags beside it. It goes on after a
// problem where that can show others.
func (c *compiler) operator(n *yamltree.Node, key yamltree.Key, operand *yamltree.Node) test {
	name := key.Name
	switch name {
	case "$eq", "$ne":
		if !c.literal(operand, name) {
			return nil
		}
		if name == "$ne" {
			return not(oneOf(operand.Plain()))
		}
		return equals(operand.Plain())
	case "$in", "$nin":
		return c.in(name, operand)
	case "$gt", "$gte", "$lt", "$lte":
		if operand.Kind != yamltree.Scalar {
			c.errorf(operand, "%s compares with a number or a text, not %s", name, operand.Show())
			return nil
		}
		return anyPresent(func(v any) bool { return inOrder(name, v, operand.Value) })
	// A problem was reported, so what is returned after one is never run.
	case "$exists":
		want, ok := operand.Value.(bool)
		if !ok {
			c.errorf(operand, "$exists takes true or false, not %s", operand.Show())
		}
		if want {
			return exists
		}
		return not(exists)
	case "$mod":
		return c.mod(operand)
	case "$size":
		size, ok := operand.Value.(float64)
		if !ok || size < 0 || size != math.Trunc(size) {
			c.errorf(operand, "$size takes the exact length of a list, such as 2, not %s", operand.Show())
		}
		return anyValue(func(c candidate) bool { list, ok := c.value.([]any); return ok && len(list) == int(size) })
	case "$type":
		kind, _ := operand.Value.(string)
		if !slices.Contains(typeNames, kind) {
			c.errorf(operand, "$type takes one of %s, not %s", strings.Join(typeNames, ", "), operand.Show())
		}
		return hasType(kind)
	case "$regex":
		return c.regex(n, operand)
	case "$options":
		if !n.Has("$regex") {
			c.errorf(key.At, "$options belongs to $regex, which is missing beside it")
		}
		return nil
	case "$all":
		return c.all(operand)
	case "$elemMatch":
		if operand.Kind != yamltree.Map {
			c.errorf(operand, "$elemMatch takes a mapping that one element must satisfy, not %s", operand.Show())
			return nil
		}
		return elemMatch(c.query(operand, valueContext))
	case "$not":
		if operand.Kind == yamltree.List {
			c.errorf(operand, "$not takes a mapping or one value: to exclude several write $nin")
			return nil
		}
		return not(c.valueOrQuery(operand))
	}
	c.unknownOperator(key)
	return nil
}

// in takes one value for a list of one, as sift does. $nin holds where none of them equals, so also
// for a field that is missing, unless null is among them.
func (c *compiler) in(name string, operand *yamltree.Node) test {
	items := []*yamltree.Node{operand}
	if operand.Kind == yamltree.List {
		items = operand.Items
	}
	values := make([]any, 0, len(items))
	for _, item := range items {
		if !c.literal(item, name) {
			return nil
		}
		values = append(values, item.Plain())
	}
	if name == "$nin" {
		return not(oneOf(values...))
	}
	return oneOf(values...)
}

// mod refuses the divisor 0, which matches nothing and so is a mistake.
func (c *compiler) mod(operand *yamltree.Node) test {
	if operand.Kind == yamltree.List && len(operand.Items) == 2 {
		divisor, ok1 := operand.Items[0].Value.(float64)
		remainder, ok2 := operand.Items[1].Value.(float64)
		if ok1 && ok2 && divisor != 0 {
			return anyPresent(func(v any) bool { return math.Mod(toNumber(v), divisor) == remainder })
		}
	}
	c.errorf(operand, "$mod takes a list of a divisor that is not 0 and a remainder, such as [2, 1]")
	return nil
}

// all needs no order and no length: each item must be found somewhere in the list. An item may also
// be a mapping of operators, which one element must satisfy.
func (c *compiler) all(operand *yamltree.Node) test {
	if operand.Kind != yamltree.List {
		c.errorf(operand, "$all takes a list, not %s", operand.Show())
		return nil
	}
	if len(operand.Items) == 0 {
		c.warnf(operand, "$all with an empty list matches everything")
	}
	var tests []test
	for _, item := range operand.Items {
		if item.Kind == yamltree.List {
			c.errorf(item, "$all takes values and mappings, no list inside its list")
			continue
		}
		tests = append(tests, c.valueOrQuery(item))
	}
	return allOf(tests...)
}

// valueOrQuery compiles a scalar that a value must equal, or a mapping of conditions on one value.
func (c *compiler) valueOrQuery(n *yamltree.Node) test {
	if n.Kind == yamltree.Map {
		return c.query(n, valueContext)
	}
	return follow(nil, equals(n.Value))
}

// regex reads the flags beside the pattern. A pattern that Go cannot run is refused like one that
// is wrong: a rule that silently never matched would send its callers elsewhere.
func (c *compiler) regex(n, operand *yamltree.Node) test {
	pattern, ok := operand.Value.(string)
	if !ok {
		c.errorf(operand, "$regex takes a pattern as text, not %s", operand.Show())
		return nil
	}
	flags := ""
	if options := n.Child("$options"); options != nil {
		if flags, ok = options.Value.(string); !ok {
			c.errorf(options, "$options takes flags as text, such as i, not %s", options.Show())
			return nil
		}
	}
	compiled, err := ecmascript.Compile(pattern, flags, &c.patterns.budget)
	var unsupported ecmascript.UnsupportedError
	switch {
	case errors.As(err, &unsupported):
		c.errorf(operand, "$regex: %v here: write the pattern without it", err)
		return nil
	case err != nil:
		c.errorf(operand, "$regex: %v", err)
		return nil
	}
	return matches(compiled)
}
