package integrationtest

import (
	"bytes"
	"reflect"
	"strings"
	"time"
)

// clone copies a value of the contract with everything below it.
func clone[T any](v T) T {
	return deepCopy(reflect.ValueOf(&v).Elem()).Interface().(T)
}

// deepCopy copies by the kinds that the contract is made of. Times are values, and so is what an
// interface holds.
func deepCopy(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch {
	case v.Type() == reflect.TypeFor[time.Time](), v.Kind() == reflect.Interface:
		out.Set(v)
		return out
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(deepCopy(v.Field(i)))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(deepCopy(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(deepCopy(v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for it := v.MapRange(); it.Next(); {
				out.SetMapIndex(it.Key(), deepCopy(it.Value()))
			}
		}
	default:
		out.Set(v)
	}
	return out
}

// mentions returns where v, or anything below it, holds text; "" if nowhere.
func mentions(v any, text string) string {
	return find(reflect.ValueOf(v), reflect.TypeOf(v).Name(), text)
}

// find looks through everything that can hold text, bytes included.
func find(v reflect.Value, where, text string) string {
	if v.Type() == reflect.TypeFor[time.Time]() {
		return ""
	}
	switch v.Kind() { //nolint:exhaustive // the other kinds hold no text
	case reflect.String:
		if strings.Contains(v.String(), text) {
			return where
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if at := find(v.Field(i), where+"."+v.Type().Field(i).Name, text); at != "" {
				return at
			}
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return find(v.Elem(), where, text)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if bytes.Contains(v.Bytes(), []byte(text)) {
				return where
			}
			return ""
		}
		for i := range v.Len() {
			if at := find(v.Index(i), where+"[]", text); at != "" {
				return at
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if at := find(it.Key(), where+" key", text) + find(it.Value(), where+"[]", text); at != "" {
				return at
			}
		}
	}
	return ""
}
