package call

import (
	"reflect"
	"testing"
	"time"
)

// fill gives every field a value, every list an element and every pointer something to point to.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 4))
		fill(v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1_800_000_000, 0).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.String:
		v.SetString("x")
	default: // shares nothing
	}
}

// shared are the paths of fields of which both values hold the same memory.
func shared(path string, a, b reflect.Value) (paths []string) {
	switch a.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if a.UnsafePointer() == b.UnsafePointer() {
			return []string{path}
		}
		if a.Kind() == reflect.Pointer {
			return shared(path, a.Elem(), b.Elem())
		}
		if a.Kind() == reflect.Slice {
			return shared(path+"[0]", a.Index(0), b.Index(0))
		}
	case reflect.Struct:
		if a.Type() == reflect.TypeFor[time.Time]() {
			return nil
		}
		for i := range a.NumField() {
			paths = append(paths, shared(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))...)
		}
	default:
	}
	return paths
}

// TestACloneSharesNothing: a state that was read once is the start of many steps.
func TestACloneSharesNothing(t *testing.T) {
	t.Parallel()
	var s State
	fill(reflect.ValueOf(&s).Elem())
	clone := s.Clone()
	for _, path := range shared("State", reflect.ValueOf(s), reflect.ValueOf(clone)) {
		t.Errorf("%s is shared with the clone", path)
	}
}
