package router

import (
	"slices"
	"strconv"
	"strings"
)

// scope is where a mapping of a match stands: it decides what may be written in it.
type scope int

const (
	rootContext  scope = iota // a match, or a part of its $and, $or, $nor, $not: it is about the facts as a whole
	valueContext              // below $elemMatch, $not or $all of a field: it is about one value
)

// knownFacts are the facts that anybody supplies. Another name is doubted, not refused.
var knownFacts = []string{"always", "alert", "log", "log_parsed", "call"}

// query compiles a mapping that may hold fields and operators side by side; all of them must hold.
func (c *compiler) query(n *node, at scope) test {
	var q queryTest
	for i, key := range n.keys {
		operand := n.items[i]
		switch {
		case isGroup(key.text):
			q.self = append(q.self, c.group(key, operand, at))
		case key.text == "$day", key.text == "$now", key.text == "$timeBetween":
			if at != rootContext {
				c.errorf(key.at, "%s is about the call's time: write it directly under match, or in a list of $and, $or or $nor there", key.text)
				continue
			}
			q.self = append(q.self, c.clockTest(key, operand))
		case key.text == "$not" && at == rootContext:
			if operand.kind != mapNode {
				c.errorf(operand, "$not takes a mapping here, such as $not: {alert.urgency: low}")
				continue
			}
			q.self = append(q.self, notTest{c.query(operand, at)})
		case isOperator(key.text):
			if at == rootContext {
				c.errorf(key.at, "%s needs a field: write the field first and the operator below it, such as alert.title: {%s: …}", key.text, key.text)
				continue
			}
			if t := c.operator(n, key, operand); t != nil {
				q.self = append(q.self, t)
			}
		case strings.HasPrefix(key.text, "$"):
			c.unknownOperator(key)
		default:
			if t := c.field(key, operand, at); t != nil {
				q.fields = append(q.fields, *t)
			}
		}
	}
	return q
}

func isGroup(name string) bool { return name == "$and" || name == "$or" || name == "$nor" }

// group compiles the list under $and, $or or $nor.
func (c *compiler) group(key mapKey, operand *node, at scope) test {
	if operand.kind != listNode || len(operand.items) == 0 {
		c.errorf(operand, "%s takes a list with at least one mapping", key.text)
		return allOf{}
	}
	tests := make([]test, 0, len(operand.items))
	for _, item := range operand.items {
		if item.kind != mapNode {
			c.errorf(item, "%s takes a list of mappings, not %s", key.text, item.show())
			continue
		}
		tests = append(tests, c.query(item, at))
	}
	switch key.text {
	case "$or":
		return anyOf(tests)
	case "$nor":
		return notTest{anyOf(tests)}
	default:
		return allOf(tests)
	}
}

// field compiles what a field must be: a value to equal, or a mapping of operators.
func (c *compiler) field(key mapKey, operand *node, at scope) *fieldTest {
	path := strings.Split(key.text, ".")
	if slices.Contains(path, "") {
		c.errorf(key.at, "the field %q has an empty part: write names with one dot between them", key.text)
		return nil
	}
	if at == rootContext && !slices.Contains(knownFacts, path[0]) {
		c.warnf(key.at, "no call has a fact %q: the facts are %s", path[0], strings.Join(knownFacts, ", "))
	}
	f := &fieldTest{path: path}
	if operand.kind != mapNode || !holdsOperator(operand) {
		if operand.kind == mapNode && len(operand.keys) > 0 {
			c.warnf(operand, "a mapping must equal the whole of %s, all its keys: to look at one key write %s.%s", key.text, key.text, operand.keys[0].text)
		}
		if c.literal(operand, key.text) {
			f.tests = append(f.tests, equalTest{operand.plain()})
		}
		c.doubtNumber(operand, key.text)
		return f
	}
	for i, op := range operand.keys {
		switch {
		case isGroup(op.text):
			c.errorf(op.at, "%s cannot stand under a field: write it one level up, with the field inside its list", op.text)
		case op.text == "$day", op.text == "$now", op.text == "$timeBetween":
			c.errorf(op.at, "%s is about the call's time, not about %s: write it directly under match", op.text, key.text)
		case isOperator(op.text):
			if t := c.operator(operand, op, operand.items[i]); t != nil {
				f.tests = append(f.tests, t)
			}
			c.doubtNumber(operand.items[i], key.text)
		case strings.HasPrefix(op.text, "$"):
			c.unknownOperator(op)
		default:
			c.errorf(op.at, "%q stands beside operators: under a field write operators alone, or a whole value", op.text)
		}
	}
	return f
}

func holdsOperator(n *node) bool {
	return slices.ContainsFunc(n.keys, func(k mapKey) bool { return strings.HasPrefix(k.text, "$") })
}

// literal refuses operators inside a value that is compared as a whole: they would be compared as text.
func (c *compiler) literal(n *node, where string) bool {
	fine := true
	for i, item := range n.items {
		if n.kind == mapNode && strings.HasPrefix(n.keys[i].text, "$") {
			c.errorf(n.keys[i].at, "the operator %s cannot stand inside a value that %s is compared with", n.keys[i].text, where)
			fine = false
			continue
		}
		fine = c.literal(item, where) && fine
	}
	return fine
}

// doubtNumber warns of digits that people mean as text: telephone numbers and postal codes are text in facts, and a number
// never equals a text.
func (c *compiler) doubtNumber(n *node, field string) {
	if n.kind == listNode {
		for _, item := range n.items {
			c.doubtNumber(item, field)
		}
		return
	}
	digits := strings.TrimLeft(n.raw, "+-")
	long := len(digits) >= 8 && strings.Trim(digits, "0123456789") == ""
	leadingZero := len(digits) > 1 && strings.Trim(digits, "0123456789") == "" && digits[0] == '0'
	inCall := strings.HasPrefix(field, "call.") || strings.HasPrefix(field, "log.data.")
	if n.raw != "" && (strings.HasPrefix(n.raw, "+") || leadingZero || long && inCall) {
		c.warnf(n, "%s is read as a number, which never equals a text: put it in quotes, %s", n.raw, strconv.Quote(n.raw))
	}
}

func (c *compiler) unknownOperator(key mapKey) {
	switch key.text {
	case "$where":
		c.errorf(key.at, "$where is refused: it would run a program")
	case "$dayOfWeek", "$weekday", "$isoWeekday":
		c.errorf(key.at, "unknown operator %s: the day of the week is $day, 1 = Monday to 7 = Sunday", key.text)
	default:
		c.errorf(key.at, "unknown operator %q: the operators are %s", key.text, operatorNames)
	}
}
