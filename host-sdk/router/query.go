package router

import (
	"slices"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
)

// scope is where a mapping of a match stands: it decides what may be written in it. The same
// mapping means a rule's condition at one place and a value's at another.
type scope int

const (
	// A match, or a part of its $and, $or, $nor, $not: it is about the facts as a whole.
	rootContext  scope = iota
	valueContext       // below $elemMatch, $not or $all of a field: it is about one value
)

// knownFacts are the facts that anybody supplies. Another name is doubted, not refused.
var knownFacts = []string{"always", "alert", "log", "log_parsed", "call"}

// query compiles a mapping that may hold fields and operators side by side; all of them must hold.
// Operators about the values themselves are asked of the values that this mapping stands for, which
// follow(nil, …) finds.
func (c *compiler) query(n *yamltree.Node, at scope) test {
	var self, fields []test // about the values themselves, about what is below them
	for i, key := range n.Keys {
		operand := n.Items[i]
		switch {
		case isGroup(key.Name):
			self = append(self, c.group(key, operand, at))
		case isClockFunction(key.Name):
			if at != rootContext {
				c.errorf(key.At, "%s is about the call's time: write it directly under match, or in a list of $and, $or or $nor there", key.Name)
				continue
			}
			self = append(self, c.clockFunction(key, operand))
		// At the root it negates a whole match; under a field it is an operator on the value.
		case key.Name == "$not" && at == rootContext:
			if operand.Kind != yamltree.Map {
				c.errorf(operand, "$not takes a mapping here, such as $not: {alert.urgency: low}")
				continue
			}
			self = append(self, not(c.query(operand, at)))
		case isOperator(key.Name):
			if at == rootContext {
				c.errorf(key.At, "%s needs a field: write the field first and the operator below it, such as alert.title: {%s: …}", key.Name, key.Name)
				continue
			}
			if t := c.operator(n, key, operand); t != nil {
				self = append(self, t)
			}
		case strings.HasPrefix(key.Name, "$"):
			c.unknownOperator(key)
		default:
			if t := c.field(key, operand, at); t != nil {
				fields = append(fields, t)
			}
		}
	}
	if len(self) == 0 {
		return allOf(fields...)
	}
	return allOf(follow(nil, allOf(self...)), allOf(fields...))
}

// isGroup reports whether a key joins several queries.
func isGroup(name string) bool { return name == "$and" || name == "$or" || name == "$nor" }

// group compiles the list under $and, $or or $nor. Where a part was refused the rest is compiled
// all the same, so that its problems are reported too.
func (c *compiler) group(key yamltree.Key, operand *yamltree.Node, at scope) test {
	if operand.Kind != yamltree.List || len(operand.Items) == 0 {
		c.errorf(operand, "%s takes a list with at least one mapping", key.Name)
		return nil
	}
	tests := make([]test, 0, len(operand.Items))
	for _, item := range operand.Items {
		if item.Kind != yamltree.Map {
			c.errorf(item, "%s takes a list of mappings, not %s", key.Name, item.Show())
			continue
		}
		tests = append(tests, c.query(item, at))
	}
	switch key.Name {
	case "$or":
		return anyOf(tests...)
	case "$nor":
		return not(anyOf(tests...))
	default:
		return allOf(tests...)
	}
}

// field compiles what a field must be: a value to equal, or a mapping of operators. at is where the
// mapping stands: only at the root is the first part of the name a fact.
func (c *compiler) field(key yamltree.Key, operand *yamltree.Node, at scope) test {
	path := strings.Split(key.Name, ".")
	if slices.Contains(path, "") {
		c.errorf(key.At, "the field %q has an empty part: write names with one dot between them", key.Name)
		return nil
	}
	if at == rootContext && !slices.Contains(knownFacts, path[0]) {
		c.warnf(key.At, "no call has a fact %q: the facts are %s", path[0], strings.Join(knownFacts, ", "))
	}
	var tests []test
	// Anything without operators is a value to be equalled.
	if operand.Kind != yamltree.Map || !holdsOperator(operand) {
		if operand.Kind == yamltree.Map && len(operand.Keys) > 0 {
			c.warnf(operand, "a mapping must equal the whole of %s, all its keys: to look at one key write %s.%s", key.Name, key.Name, operand.Keys[0].Name)
		}
		if c.literal(operand, key.Name) {
			tests = append(tests, equals(operand.Plain()))
		}
		c.doubtNumber(operand, key.Name)
		return follow(path, allOf(tests...))
	}
	for i, op := range operand.Keys {
		switch {
		case isGroup(op.Name):
			c.errorf(op.At, "%s cannot stand under a field: write it one level up, with the field inside its list", op.Name)
		case isClockFunction(op.Name):
			c.errorf(op.At, "%s is about the call's time, not about %s: write it directly under match", op.Name, key.Name)
		case isOperator(op.Name):
			if t := c.operator(operand, op, operand.Items[i]); t != nil {
				tests = append(tests, t)
			}
			c.doubtNumber(operand.Items[i], key.Name)
		case strings.HasPrefix(op.Name, "$"):
			c.unknownOperator(op)
		default:
			c.errorf(op.At, "%q stands beside operators: under a field write operators alone, or a whole value", op.Name)
		}
	}
	return follow(path, allOf(tests...))
}

// holdsOperator distinguishes operators under a field from a mapping to be equalled. One key with a
// $ makes it operators; the others are then reported.
func holdsOperator(n *yamltree.Node) bool {
	return slices.ContainsFunc(n.Keys, func(k yamltree.Key) bool { return strings.HasPrefix(k.Name, "$") })
}

// literal refuses operators inside a value that is compared as a whole: they would be compared as
// text. where is the field or operator, for the message. It reports whether the value may be
// compared.
func (c *compiler) literal(n *yamltree.Node, where string) bool {
	fine := true
	for i, item := range n.Items {
		if n.Kind == yamltree.Map && strings.HasPrefix(n.Keys[i].Name, "$") {
			c.errorf(n.Keys[i].At, "the operator %s cannot stand inside a value that %s is compared with", n.Keys[i].Name, where)
			fine = false
			continue
		}
		fine = c.literal(item, where) && fine
	}
	return fine
}

// doubtNumber warns of digits that people mean as text: telephone numbers and postal codes are text
// in facts, and a number never equals a text. A warning and no error: a field may really hold such
// a number.
func (c *compiler) doubtNumber(n *yamltree.Node, field string) {
	if n.Kind == yamltree.List {
		for _, item := range n.Items {
			c.doubtNumber(item, field)
		}
		return
	}
	digits := strings.TrimLeft(n.Raw, "+-")
	long := len(digits) >= 8 && strings.Trim(digits, "0123456789") == ""
	leadingZero := len(digits) > 1 && strings.Trim(digits, "0123456789") == "" && digits[0] == '0'
	inCall := strings.HasPrefix(field, "call.") || strings.HasPrefix(field, "log.data.")
	if n.Raw != "" && (strings.HasPrefix(n.Raw, "+") || leadingZero || long && inCall) {
		c.warnf(n, "%s is read as a number, which never equals a text: put it in quotes, %s", n.Raw, strconv.Quote(n.Raw))
	}
}

// unknownOperator names the remedy for operators that people expect to exist. Other tools have
// these operators, and people remember their names.
func (c *compiler) unknownOperator(key yamltree.Key) {
	switch key.Name {
	case "$where":
		c.errorf(key.At, "$where is refused: it would run a program")
	case "$dayOfWeek", "$weekday", "$isoWeekday":
		c.errorf(key.At, "unknown operator %s: the day of the week is $day, 1 = Monday to 7 = Sunday", key.Name)
	default:
		c.errorf(key.At, "unknown operator %q: the operators are %s", key.Name, operatorNames)
	}
}
