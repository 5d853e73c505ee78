package form

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// Prepare returns what a form library such as RJSF, JSON Forms or json-editor needs to show a
// document, stored or new ("" or {}). Pass the prepared schema to RJSF or JSONForms, and the
// document that the library returns to MergeSecrets.
//
// The document contains the default of each field that stored lacks, because JSON Forms and
// json-editor would show such fields empty or not at all. It contains the fields of stored that the
// schema does not know, so that saving does not lose them. It contains no secret and no mark of
// one, for which a library would draw an object.
//
// The schema is the given one, with two changes. A secret that has a value is not required, so that
// nobody has to enter it again, and says so in its x-placeholder. And each property has its
// position, from 1, as propertyOrder (by which json-editor sorts) and order, because a host may
// store the schema where the order of keys is lost.
func Prepare(schema, stored []byte) (prepared, document []byte, err error) {
	old, err := object(stored)
	if err != nil {
		return nil, nil, err
	}
	secrets, err := SecretFields(schema)
	if err != nil {
		return nil, nil, err
	}
	// Only the top level and the properties are taken apart; what is inside a property stays as the
	// schema's author wrote it.
	root, err := readMembers(schema)
	if err != nil {
		return nil, nil, err
	}
	properties, err := readMembers(root.values["properties"])
	if err != nil {
		return nil, nil, err
	}
	// A schema without the list gets none, below.
	var required []string
	if raw, ok := root.values["required"]; ok {
		if err := json.Unmarshal(raw, &required); err != nil {
			return nil, nil, fmt.Errorf("options schema: required: %w", err)
		}
	}
	doc := members{values: map[string]json.RawMessage{}}
	for i, key := range properties.keys {
		p, err := readMembers(properties.values[key])
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", key, err)
		}
		v, stored := old[key]
		switch {
		// Neither the value nor its mark goes into the document. MergeSecrets takes an absent
		// secret for one that nobody touched.
		case slices.Contains(secrets, key):
			if isSet(v) {
				required = slices.DeleteFunc(required, func(r string) bool { return r == key })
				p.put("x-placeholder", json.RawMessage(`"Leave empty to keep it"`))
			}
		case stored:
			doc.put(key, v)
		case p.values["default"] != nil:
			doc.put(key, p.values["default"])
		}
		for _, name := range []string{"propertyOrder", "order"} {
			p.put(name, json.RawMessage(strconv.Itoa(i+1)))
		}
		properties.put(key, p.bytes())
	}
	// They are sorted, so that equal documents make equal bytes: a map has no order.
	var unknown []string
	for key := range old {
		if _, known := properties.values[key]; !known {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	for _, key := range unknown {
		doc.put(key, old[key])
	}
	if _, ok := root.values["required"]; ok {
		list, _ := json.Marshal(append([]string{}, required...)) // strings always have a JSON form
		root.put("required", list)
	}
	root.put("properties", properties.bytes())
	return root.bytes(), doc.bytes(), nil
}

// isSet reports whether a secret has a value, be it there or only marked. A document from the store
// has the value, one from HideSecrets the mark.
func isSet(v json.RawMessage) bool {
	var mark struct {
		Set *bool `json:"set"`
	}
	if json.Unmarshal(v, &mark) == nil && mark.Set != nil {
		return *mark.Set
	}
	text := string(bytes.TrimSpace(v))
	return text != "" && text != "null" && text != `""`
}

// members is a JSON object that keeps the order of its keys, which is the order of the form. The
// values stay as they are written, so preparing changes no number and no text.
type members struct {
	keys   []string
	values map[string]json.RawMessage
}

// readMembers reads an object with the order of its keys.
func readMembers(object []byte) (members, error) {
	m := members{values: map[string]json.RawMessage{}}
	if err := json.Unmarshal(object, &m.values); err != nil {
		return m, fmt.Errorf("options schema: %w", err)
	}
	var err error
	m.keys, err = objectKeys(object)
	return m, err
}

// put sets a key; a new one goes to the end.
func (m *members) put(key string, value json.RawMessage) {
	if _, ok := m.values[key]; !ok {
		m.keys = append(m.keys, key)
	}
	m.values[key] = value
}

// bytes writes the object in its order.
func (m *members) bytes() []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, key := range m.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		name, _ := json.Marshal(key) // strings always have a JSON form
		b.Write(name)
		b.WriteByte(':')
		b.Write(m.values[key])
	}
	b.WriteByte('}')
	return b.Bytes()
}
