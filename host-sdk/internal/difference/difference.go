// Package difference says where two values differ, for the conformance suites: other modules build
// them into their tests, so they bring no library along. Our own tests use go-cmp.
package difference

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Of lists the places in which b is not a, each with both values; "" if there are none. Values are
// the same as for [reflect.DeepEqual].
func Of(a, b any) string {
	var out []string
	// Through pointers to a and b the values keep their type any, so values of two types can be
	// compared as well.
	walk("", reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem(), &out)
	return strings.Join(out, "\n")
}

// walk goes down as long as both values have the same parts. It stops where the parts differ in
// type, length or keys, and shows the two as wholes: a list that is longer would otherwise differ
// at each place.
func walk(at string, x, y reflect.Value, out *[]string) {
	if reflect.DeepEqual(x.Interface(), y.Interface()) {
		return
	}
	sameType := x.Type() == y.Type()
	switch k := x.Kind(); {
	case sameType && (k == reflect.Pointer || k == reflect.Interface) && !x.IsNil() && !y.IsNil():
		walk(at, x.Elem(), y.Elem(), out)
	case sameType && k == reflect.Struct && allExported(x.Type()):
		for i := range x.NumField() {
			walk(at+"."+x.Type().Field(i).Name, x.Field(i), y.Field(i), out)
		}
	case sameType && k == reflect.Slice && x.Type().Elem().Kind() != reflect.Uint8 && x.Len() == y.Len() && x.IsNil() == y.IsNil():
		for i := range x.Len() {
			walk(fmt.Sprintf("%s[%d]", at, i), x.Index(i), y.Index(i), out)
		}
	case sameType && k == reflect.Map && x.IsNil() == y.IsNil() && slices.EqualFunc(keys(x), keys(y), sameKey):
		for _, key := range keys(x) {
			walk(fmt.Sprintf("%s[%v]", at, key), x.MapIndex(key), y.MapIndex(key), out)
		}
	default:
		*out = append(*out, strings.TrimLeft(at+": ", ".: ")+shown(x)+", "+shown(y))
	}
}

// allExported is false for a type such as time.Time, which reflect cannot take apart.
func allExported(t reflect.Type) bool {
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			return false
		}
	}
	return true
}

// keys are those of a map, in the order of their texts. Maps have no order, and a report must be
// the same each time.
func keys(m reflect.Value) []reflect.Value {
	return slices.SortedFunc(slices.Values(m.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

func sameKey(a, b reflect.Value) bool { return a.Equal(b) }

// shown is a value as a person can read it. An empty slice and none are not the same value.
func shown(v reflect.Value) string {
	switch v.Kind() {
	// IsNil panics for all other kinds.
	case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			return fmt.Sprintf("%q", v.Bytes())
		}
	case reflect.String:
		return fmt.Sprintf("%q", v)
	default:
	}
	return fmt.Sprintf("%+v", v)
}
