package router

import (
	"slices"
	"strings"
	"time"
)

// maxFormat bounds formats and times of day, in bytes.
const maxFormat = 200

// dayTest looks at the day of the week, 1 = Monday to 7 = Sunday.
type dayTest struct {
	zone  *time.Location
	tests allOf
}

func (t dayTest) holds(e *evaluation, _ []candidate) (bool, error) {
	return t.tests.holds(e, []candidate{{value: float64(isoWeekday(e.now.In(t.zone))), own: true, end: true}})
}

// nowTest looks at the present as text.
type nowTest struct {
	zone   *time.Location
	format []formatToken
	tests  allOf
}

func (t nowTest) holds(e *evaluation, _ []candidate) (bool, error) {
	return t.tests.holds(e, []candidate{{value: formatMoment(e.now.In(t.zone), t.format), own: true, end: true}})
}

// betweenTest compares the wall clock in a zone, to the millisecond, both ends included; from after to means over midnight. It
// never builds an instant of a time of day, which some nights do not have, or have twice.
type betweenTest struct {
	zone     *time.Location
	from, to time.Duration // since midnight on the wall clock
}

func (t betweenTest) holds(e *evaluation, _ []candidate) (bool, error) {
	now := e.now.In(t.zone)
	at := time.Duration(now.Hour())*time.Hour + time.Duration(now.Minute())*time.Minute +
		time.Duration(now.Second())*time.Second + time.Duration(now.Nanosecond()).Truncate(time.Millisecond)
	if t.from > t.to {
		return at >= t.from || at <= t.to, nil
	}
	return at >= t.from && at <= t.to, nil
}

// clockTest compiles $day, $now and $timeBetween.
func (c *compiler) clockTest(key mapKey, operand *node) test {
	if operand.kind != mapNode {
		c.errorf(operand, "%s takes a mapping, such as %s", key.text, clockExamples[key.text])
		return allOf{}
	}
	zone := c.zone(operand)
	switch key.text {
	case "$day":
		tests := c.clockOperators(key, operand, "timezone")
		return dayTest{zone, tests}
	case "$now":
		tests := c.clockOperators(key, operand, "timezone", "format")
		format := c.text(operand, "format", "YYYY-MM-DD")
		return nowTest{zone, tokenize(format), tests}
	}
	return c.between(operand, zone)
}

var clockExamples = map[string]string{
	"$day":         "{timezone: America/New_York, $in: [6, 7]}",
	"$now":         "{timezone: America/New_York, format: MM-DD, $eq: \"12-25\"}",
	"$timeBetween": "{timezone: America/New_York, starttime: \"08:00 am\", endtime: \"05:00 pm\"}",
}

func (c *compiler) zone(n *node) *time.Location {
	name := n.child("timezone")
	if name == nil {
		zone, _ := loadZone(defaultZone)
		return zone
	}
	text, ok := name.value.(string)
	if !ok {
		c.errorf(name, "timezone takes a name such as America/New_York, not %s", name.show())
		return time.UTC
	}
	zone, err := loadZone(text)
	if err != nil {
		c.errorf(name, "timezone: %v", err)
		return time.UTC
	}
	return zone
}

// text reads a parameter; a number counts as it is written.
func (c *compiler) text(n *node, name, otherwise string) string {
	child := n.child(name)
	if child == nil {
		return otherwise
	}
	text, ok := child.value.(string)
	if child.raw != "" {
		text, ok = child.raw, true
	}
	if !ok || len(text) > maxFormat {
		c.errorf(child, "%s takes a text of at most %d bytes, not %s", name, maxFormat, child.show())
		return otherwise
	}
	return text
}

// clockOperators compiles what stands beside the parameters of $day and $now.
func (c *compiler) clockOperators(key mapKey, n *node, parameters ...string) allOf {
	var tests allOf
	for i, k := range n.keys {
		switch {
		case slices.Contains(parameters, k.text):
		case isGroup(k.text):
			c.errorf(k.at, "%s cannot stand inside %s: write it one level up", k.text, key.text)
		case isOperator(k.text):
			if t := c.operator(n, k, n.items[i]); t != nil {
				tests = append(tests, t)
			}
			c.doubtDay(key, n.items[i])
		case strings.HasPrefix(k.text, "$"):
			c.unknownOperator(k)
		default:
			c.errorf(k.at, "%s has no parameter %q: it has %s, and operators such as $in", key.text, k.text, strings.Join(parameters, " and "))
		}
	}
	if !slices.ContainsFunc(n.keys, func(k mapKey) bool { return strings.HasPrefix(k.text, "$") }) {
		c.errorf(n, "%s only gives a value: add what it must be, such as %s", key.text, clockExamples[key.text])
	}
	return tests
}

// doubtDay warns of days that no week has, and of days and dates of the wrong type.
func (c *compiler) doubtDay(key mapKey, n *node) {
	if n.kind == listNode {
		for _, item := range n.items {
			c.doubtDay(key, item)
		}
		return
	}
	switch v := n.value.(type) {
	case float64:
		if key.text == "$day" && (v < 1 || v > 7) {
			c.warnf(n, "no day of the week is %s: $day is 1 for Monday to 7 for Sunday", n.show())
		}
		if key.text == "$now" {
			c.warnf(n, "$now is a text, which never equals a number: put %s in quotes", n.show())
		}
	case string:
		if key.text == "$day" {
			c.warnf(n, "$day is a number, 1 for Monday to 7 for Sunday, which never equals the text %s", n.show())
		}
	}
}

func (c *compiler) between(n *node, zone *time.Location) test {
	for _, k := range n.keys {
		if !slices.Contains([]string{"timezone", "timeformat", "starttime", "endtime"}, k.text) {
			c.errorf(k.at, "$timeBetween has no parameter %q: it has timezone, timeformat, starttime and endtime", k.text)
		}
	}
	format := c.text(n, "timeformat", "hh:mm a")
	tokens, err := timeTokens(format)
	if err != nil {
		c.errorf(n.child("timeformat"), "timeformat: %v", err)
		return allOf{}
	}
	ends := map[string]time.Duration{}
	for _, name := range []string{"starttime", "endtime"} {
		value := n.child(name)
		if value == nil {
			c.errorf(n, "$timeBetween needs %s, such as %s: \"08:00 am\"", name, name)
			continue
		}
		text := c.text(n, name, "")
		if text == "" && value.value != "" {
			continue // reported
		}
		at, ok := parseTime(text, tokens)
		if !ok {
			c.errorf(value, "%s: %s is no time of day in the format %q", name, value.show(), format)
			continue
		}
		ends[name] = at
	}
	if len(ends) == 2 && ends["starttime"] == ends["endtime"] {
		c.warnf(n, "starttime and endtime are the same: this matches for one moment a day, not for 24 hours")
	}
	return betweenTest{zone, ends["starttime"], ends["endtime"]}
}
