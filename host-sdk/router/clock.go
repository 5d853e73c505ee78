package router

import (
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
	"github.com/livecallrouting/livecall/host-sdk/router/internal/moment"
)

// maxFormat bounds formats and times of day, in bytes.
const maxFormat = 200

// isClockFunction reports whether a key is one of $day, $now and $timeBetween.
func isClockFunction(name string) bool { return clockExamples[name] != "" }

// clockExamples are shown where one of the functions is used in a wrong way.
var clockExamples = map[string]string{
	"$day":         "{timezone: America/New_York, $in: [6, 7]}",
	"$now":         "{timezone: America/New_York, format: MM-DD, $eq: \"12-25\"}",
	"$timeBetween": "{timezone: America/New_York, starttime: \"08:00 am\", endtime: \"05:00 pm\"}",
}

// clockFunction compiles $day, $now and $timeBetween. It returns nil after a problem; the rules are
// not used then.
func (c *compiler) clockFunction(key yamltree.Key, operand *yamltree.Node) test {
	if operand.Kind != yamltree.Map {
		c.errorf(operand, "%s takes a mapping, such as %s", key.Name, clockExamples[key.Name])
		return nil
	}
	zone := c.zone(operand)
	switch key.Name {
	case "$day":
		return onValue(func(now time.Time) any { return float64(moment.ISOWeekday(now.In(zone))) }, c.clockOperators(key, operand, "timezone"))
	case "$now":
		format := moment.Parse(c.text(operand, "format", "YYYY-MM-DD"))
		return onValue(func(now time.Time) any { return format.Write(now.In(zone)) }, c.clockOperators(key, operand, "timezone", "format"))
	}
	return c.timeBetween(operand, zone)
}

// onValue applies a test to what the clock shows. The value is looked at as one that was found, so
// that every operator works on it.
func onValue(of func(now time.Time) any, t test) test {
	return func(e *evaluation, _ []candidate) bool {
		return t(e, []candidate{{value: of(e.now), own: true, end: true}})
	}
}

// zone returns UTC after a problem, so that the rest of the mapping is checked as well. A name that
// is no zone is an error when rules are read, never at a call.
func (c *compiler) zone(n *yamltree.Node) *time.Location {
	name := n.Child("timezone")
	if name == nil {
		zone, _ := loadZone(defaultZone)
		return zone
	}
	text, ok := name.Value.(string)
	if !ok {
		c.errorf(name, "timezone takes a name such as America/New_York, not %s", name.Show())
		return time.UTC
	}
	zone, err := loadZone(text)
	if err != nil {
		c.errorf(name, "timezone: %v", err)
		return time.UTC
	}
	return zone
}

// text reads a parameter; a number counts as it is written. The default is otherwise. YAML reads
// 0800 as a number, so its written form counts.
func (c *compiler) text(n *yamltree.Node, name, otherwise string) string {
	child := n.Child(name)
	if child == nil {
		return otherwise
	}
	text, ok := child.Value.(string)
	if child.Raw != "" {
		text, ok = child.Raw, true
	}
	if !ok || len(text) > maxFormat {
		c.errorf(child, "%s takes a text of at most %d bytes, not %s", name, maxFormat, child.Show())
		return otherwise
	}
	return text
}

// clockOperators compiles what stands beside the parameters of $day and $now. parameters are the
// keys that are no operators. All tests must hold.
func (c *compiler) clockOperators(key yamltree.Key, n *yamltree.Node, parameters ...string) test {
	var tests []test
	for i, k := range n.Keys {
		switch {
		case slices.Contains(parameters, k.Name):
		case isGroup(k.Name):
			c.errorf(k.At, "%s cannot stand inside %s: write it one level up", k.Name, key.Name)
		case isOperator(k.Name):
			if t := c.operator(n, k, n.Items[i]); t != nil {
				tests = append(tests, t)
			}
			c.doubtDay(key, n.Items[i])
		case strings.HasPrefix(k.Name, "$"):
			c.unknownOperator(k)
		default:
			c.errorf(k.At, "%s has no parameter %q: it has %s, and operators such as $in", key.Name, k.Name, strings.Join(parameters, " and "))
		}
	}
	if !slices.ContainsFunc(n.Keys, func(k yamltree.Key) bool { return strings.HasPrefix(k.Name, "$") }) {
		c.errorf(n, "%s only gives a value: add what it must be, such as %s", key.Name, clockExamples[key.Name])
	}
	return allOf(tests...)
}

// doubtDay warns of days that no week has, and of days and dates of the wrong type. Only written
// values are looked at; a list is looked at entry by entry.
func (c *compiler) doubtDay(key yamltree.Key, n *yamltree.Node) {
	if n.Kind == yamltree.List {
		for _, item := range n.Items {
			c.doubtDay(key, item)
		}
		return
	}
	switch v := n.Value.(type) {
	case float64:
		if key.Name == "$day" && (v < 1 || v > 7) {
			c.warnf(n, "no day of the week is %s: $day is 1 for Monday to 7 for Sunday", n.Show())
		}
		if key.Name == "$now" {
			c.warnf(n, "$now is a text, which never equals a number: put %s in quotes", n.Show())
		}
	case string:
		if key.Name == "$day" {
			c.warnf(n, "$day is a number, 1 for Monday to 7 for Sunday, which never equals the text %s", n.Show())
		}
	}
}

// timeBetween compares the wall clock in a zone, to the millisecond, both ends included; from after
// to means over midnight. It never builds an instant of a time of day, which some nights do not
// have, or have twice.
func (c *compiler) timeBetween(n *yamltree.Node, zone *time.Location) test {
	for _, k := range n.Keys {
		if !slices.Contains([]string{"timezone", "timeformat", "starttime", "endtime"}, k.Name) {
			c.errorf(k.At, "$timeBetween has no parameter %q: it has timezone, timeformat, starttime and endtime", k.Name)
		}
	}
	format := c.text(n, "timeformat", "hh:mm a")
	parsed := moment.Parse(format)
	// Both times are read by the format, so nothing can be said of them without one.
	if err := parsed.CheckTimeOfDay(); err != nil {
		c.errorf(n.Child("timeformat"), "timeformat: %v", err)
		return nil
	}
	from, ok := c.timeOfDay(n, "starttime", format, parsed)
	to, ok2 := c.timeOfDay(n, "endtime", format, parsed)
	if ok && ok2 && from == to {
		c.warnf(n, "starttime and endtime are the same: this matches for one moment a day, not for 24 hours")
	}
	return func(e *evaluation, _ []candidate) bool {
		now := e.now.In(zone)
		at := time.Duration(now.Hour())*time.Hour + time.Duration(now.Minute())*time.Minute +
			time.Duration(now.Second())*time.Second + time.Duration(now.Nanosecond()).Truncate(time.Millisecond)
		// The end belongs to the time: until 05:00 pm means that it still matches at 17:00:00.
		if from > to {
			return at >= from || at <= to
		}
		return at >= from && at <= to
	}
}

// timeOfDay reads a parameter as the time since midnight. False after a problem, which is reported
// already.
func (c *compiler) timeOfDay(n *yamltree.Node, name, format string, parsed moment.Format) (time.Duration, bool) {
	value := n.Child(name)
	if value == nil {
		c.errorf(n, "$timeBetween needs %s, such as %s: \"08:00 am\"", name, name)
		return 0, false
	}
	text := c.text(n, name, "")
	if text == "" && value.Value != "" {
		return 0, false // reported
	}
	at, ok := parsed.ParseTimeOfDay(text)
	if !ok {
		c.errorf(value, "%s: %s is no time of day in the format %q", name, value.Show(), format)
	}
	return at, ok
}
