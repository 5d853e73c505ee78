package router

import (
	"math"
	"slices"
	"strings"
)

// fieldOperators are the operators that stand under a field.
var fieldOperators = []string{
	"$all", "$elemMatch", "$eq", "$exists", "$gt", "$gte", "$in", "$lt", "$lte", "$mod", "$ne", "$nin", "$not", "$options", "$regex",
	"$size", "$type",
}

var operatorNames = strings.Join(append(slices.Clone(fieldOperators), "$and", "$or", "$nor", "$day", "$now", "$timeBetween"), ", ")

func isOperator(name string) bool { return slices.Contains(fieldOperators, name) }

// typeNames are the aliases of $type. No fact is a timestamp: facts are JSON.
var typeNames = []string{"number", "string", "bool", "array", "null", "timestamp"}

// operator compiles one operator of mapping n; nil after a problem, and for $options, which belongs to $regex.
func (c *compiler) operator(n *node, key mapKey, operand *node) test {
	name := key.text
	switch name {
	case "$eq", "$ne":
		if !c.literal(operand, name) {
			return nil
		}
		if name == "$ne" {
			return notTest{equalTest{operand.plain()}.sparing()}
		}
		return equalTest{operand.plain()}
	case "$in", "$nin":
		return c.inList(name, operand)
	case "$gt", "$gte", "$lt", "$lte":
		if operand.kind != scalarNode {
			c.errorf(operand, "%s compares with a number or a text, not %s", name, operand.show())
			return nil
		}
		return orderTest{op: name, value: operand.value}
	case "$exists":
		want, ok := operand.value.(bool)
		if !ok {
			c.errorf(operand, "$exists takes true or false, not %s", operand.show())
			return nil
		}
		if want {
			return existsTest{}
		}
		return notTest{existsTest{}}
	case "$mod":
		return c.mod(operand)
	case "$size":
		size, ok := operand.value.(float64)
		if !ok || size < 0 || size != math.Trunc(size) {
			c.errorf(operand, "$size takes the exact length of a list, such as 2, not %s", operand.show())
			return nil
		}
		return sizeTest(size)
	case "$type":
		kind, _ := operand.value.(string)
		if !slices.Contains(typeNames, kind) {
			c.errorf(operand, "$type takes one of %s, not %s", strings.Join(typeNames, ", "), operand.show())
			return nil
		}
		return typeTest(kind)
	case "$regex":
		return c.regex(n, operand)
	case "$options":
		if n.child("$regex") == nil {
			c.errorf(key.at, "$options belongs to $regex, which is missing beside it")
		}
		return nil
	case "$all":
		return c.all(operand)
	case "$elemMatch":
		if operand.kind != mapNode {
			c.errorf(operand, "$elemMatch takes a mapping that one element must satisfy, not %s", operand.show())
			return nil
		}
		return elemMatchTest{c.query(operand, valueContext)}
	case "$not":
		return c.not(operand)
	}
	c.unknownOperator(key)
	return nil
}

func (c *compiler) inList(name string, operand *node) test {
	items := []*node{operand}
	if operand.kind == listNode {
		items = operand.items
	}
	values := make(inTest, 0, len(items))
	for _, item := range items {
		if !c.literal(item, name) {
			return nil
		}
		values = append(values, item.plain())
	}
	if name == "$nin" {
		return notTest{values}
	}
	return values
}

func (c *compiler) mod(operand *node) test {
	if operand.kind == listNode && len(operand.items) == 2 {
		divisor, ok1 := operand.items[0].value.(float64)
		remainder, ok2 := operand.items[1].value.(float64)
		if ok1 && ok2 && divisor != 0 {
			return modTest{divisor, remainder}
		}
	}
	c.errorf(operand, "$mod takes a list of a divisor that is not 0 and a remainder, such as [2, 1]")
	return nil
}

func (c *compiler) all(operand *node) test {
	if operand.kind != listNode {
		c.errorf(operand, "$all takes a list, not %s", operand.show())
		return nil
	}
	if len(operand.items) == 0 {
		c.warnf(operand, "$all with an empty list matches everything")
	}
	var tests allOf
	for _, item := range operand.items {
		if item.kind == listNode {
			c.errorf(item, "$all takes values and mappings, no list inside its list")
			continue
		}
		if t := c.valueOrQuery(item); t != nil {
			tests = append(tests, t)
		}
	}
	return tests
}

func (c *compiler) not(operand *node) test {
	if operand.kind == listNode {
		c.errorf(operand, "$not takes a mapping or one value: to exclude several write $nin")
		return nil
	}
	if t := c.valueOrQuery(operand); t != nil {
		return notTest{t}
	}
	return nil
}

// valueOrQuery compiles a scalar to be equalled, or a mapping of conditions on one value.
func (c *compiler) valueOrQuery(n *node) test {
	if n.kind == mapNode {
		return c.query(n, valueContext)
	}
	return queryTest{self: []test{equalTest{n.value}}}
}

func (c *compiler) regex(n, operand *node) test {
	pattern, ok := operand.value.(string)
	if !ok {
		c.errorf(operand, "$regex takes a pattern as text, not %s", operand.show())
		return nil
	}
	flags := ""
	if options := n.child("$options"); options != nil {
		if flags, ok = options.value.(string); !ok {
			c.errorf(options, "$options takes flags as text, such as i, not %s", options.show())
			return nil
		}
	}
	re, err := compileRegex(pattern, flags)
	if err != nil {
		c.errorf(operand, "$regex: %v", err)
		return nil
	}
	return regexTest{re}
}
