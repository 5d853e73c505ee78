package wire

import (
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// validText replaces what is not UTF-8 by U+FFFD.
func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// makeValidText replaces, in every text field of m, what is not UTF-8 by U+FFFD; see [Codec]. It
// changes m, but not what the caller's values share with it.
func makeValidText(m proto.Message) { validMessage(m.ProtoReflect()) }

// validMessage looks at the fields that are set, and at those of all messages in them.
func validMessage(m protoreflect.Message) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsMap():
			validMap(m, fd, v.Map())
		case fd.IsList():
			validList(m, fd, v.List())
		case fd.Message() != nil:
			validMessage(v.Message())
		case fd.Kind() == protoreflect.StringKind && !utf8.ValidString(v.String()):
			m.Set(fd, protoreflect.ValueOfString(validText(v.String())))
		}
		return true
	})
}

// validList replaces the list of m's field fd if one of its texts is not UTF-8. The list itself may
// be a slice of the caller's.
func validList(m protoreflect.Message, fd protoreflect.FieldDescriptor, list protoreflect.List) {
	switch {
	case fd.Message() != nil:
		for i := range list.Len() {
			validMessage(list.Get(i).Message())
		}
	case fd.Kind() == protoreflect.StringKind:
		valid := true
		for i := range list.Len() {
			valid = valid && utf8.ValidString(list.Get(i).String())
		}
		if valid {
			return
		}
		// A new list: the old one belongs to the caller.
		fresh := m.NewField(fd)
		for i := range list.Len() {
			fresh.List().Append(protoreflect.ValueOfString(validText(list.Get(i).String())))
		}
		m.Set(fd, fresh)
	}
}

// validMap looks at a map whose values are texts or messages: the wire has no others. Only a map
// with a text to replace is made anew.
func validMap(m protoreflect.Message, fd protoreflect.FieldDescriptor, old protoreflect.Map) {
	ofMessages, valid := fd.MapValue().Message() != nil, true
	old.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		if ofMessages {
			validMessage(v.Message())
		} else {
			valid = valid && utf8.ValidString(v.String())
		}
		valid = valid && utf8.ValidString(k.String())
		return true
	})
	if valid {
		return
	}
	// A new map: the old one belongs to the caller.
	fresh := m.NewField(fd)
	old.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		if !ofMessages {
			v = protoreflect.ValueOfString(validText(v.String()))
		}
		// Two keys that differ only in what is not UTF-8 become one: the last one's value stays.
		fresh.Map().Set(protoreflect.ValueOfString(validText(k.String())).MapKey(), v)
		return true
	})
	m.Set(fd, fresh)
}
