// Package packed keeps values in one piece each: caches hold thousands of them, and a value of a
// dozen strings, times and slices is as many objects, which each garbage collection looks at, and
// twice the memory.
package packed

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"time"
)

// Of is a value of type T in one piece. Equal values are equal pieces; an empty slice counts as
// none. "" is no value.
type Of[T any] string

var timeType = reflect.TypeFor[time.Time]()

// Pack makes one piece of what v points to: its strings, numbers, booleans and times, and structs,
// pointers and slices of these. Times come back in UTC. It panics over anything else, such as a map
// or a field that is not exported.
func Pack[T any](v *T) Of[T] {
	// Most values that are packed fit, and the string is allocated once then.
	var room [1024]byte
	return Of[T](pack(room[:0], reflect.ValueOf(v).Elem()))
}

func pack(to []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.String:
		to = binary.AppendUvarint(to, uint64(v.Len()))
		return append(to, v.String()...)
	case reflect.Int, reflect.Int64:
		return binary.AppendVarint(to, v.Int())
	case reflect.Uint8:
		return append(to, byte(v.Uint()))
	case reflect.Bool:
		if v.Bool() {
			return append(to, 1)
		}
		return append(to, 0)
	case reflect.Pointer:
		if v.IsNil() {
			return append(to, 0)
		}
		return pack(append(to, 1), v.Elem())
	case reflect.Slice:
		to = binary.AppendUvarint(to, uint64(v.Len()))
		for i := range v.Len() {
			to = pack(to, v.Index(i))
		}
		return to
	case reflect.Struct:
		if v.Type() == timeType {
			at := v.Interface().(time.Time)
			return binary.AppendUvarint(binary.AppendVarint(to, at.Unix()), uint64(at.Nanosecond()))
		}
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				panic(fmt.Sprintf("packed: %s.%s is not exported", v.Type(), v.Type().Field(i).Name))
			}
			to = pack(to, v.Field(i))
		}
		return to
	default:
		panic(fmt.Sprintf("packed: cannot keep a %s", v.Type()))
	}
}

// Unpack is the value. Its strings are parts of the piece, so they cost nothing.
func (p Of[T]) Unpack() T {
	var v T
	(&unpacker{rest: string(p)}).into(reflect.ValueOf(&v).Elem())
	return v
}

// unpacker reads what pack has written.
type unpacker struct{ rest string }

func (u *unpacker) uvarint() uint64 {
	var n uint64
	for i := 0; ; i++ {
		b := u.rest[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			u.rest = u.rest[i+1:]
			return n
		}
	}
}

func (u *unpacker) varint() int64 {
	n := u.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

func (u *unpacker) byte() byte {
	b := u.rest[0]
	u.rest = u.rest[1:]
	return b
}

// into fills in v, which is zero.
func (u *unpacker) into(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		n := u.uvarint()
		v.SetString(u.rest[:n])
		u.rest = u.rest[n:]
	case reflect.Int, reflect.Int64:
		v.SetInt(u.varint())
	case reflect.Uint8:
		v.SetUint(uint64(u.byte()))
	case reflect.Bool:
		v.SetBool(u.byte() == 1)
	case reflect.Pointer:
		if u.byte() == 1 {
			v.Set(reflect.New(v.Type().Elem()))
			u.into(v.Elem())
		}
	case reflect.Slice:
		if n := int(u.uvarint()); n > 0 {
			v.Grow(n)
			v.SetLen(n)
			for i := range n {
				u.into(v.Index(i))
			}
		}
	case reflect.Struct:
		if v.Type() == timeType {
			seconds, nanoseconds := u.varint(), u.uvarint()
			*v.Addr().Interface().(*time.Time) = time.Unix(seconds, int64(nanoseconds)).UTC()
			return
		}
		for i := range v.NumField() {
			u.into(v.Field(i))
		}
	default: // was not packed
	}
}
