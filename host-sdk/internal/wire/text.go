package wire

import (
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// validText replaces what is not UTF-8 by U+FFFD.
func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// makeValidText replaces, in every text field of m, what is not UTF-8 by U+FFFD; see [Codec].
func makeValidText(m proto.Message) { validMessage(m.ProtoReflect()) }

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

// validMap knows the one map type of the wire: text to text.
func validMap(m protoreflect.Message, fd protoreflect.FieldDescriptor, old protoreflect.Map) {
	valid := true
	old.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		valid = utf8.ValidString(k.String()) && utf8.ValidString(v.String())
		return valid
	})
	if valid {
		return
	}
	// A new map: the old one belongs to the caller.
	fresh := m.NewField(fd)
	old.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		key := protoreflect.ValueOfString(validText(k.String())).MapKey()
		fresh.Map().Set(key, protoreflect.ValueOfString(validText(v.String())))
		return true
	})
	m.Set(fd, fresh)
}
