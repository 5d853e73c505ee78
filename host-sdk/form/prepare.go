package form

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Prepare gives what a form library such as RJSF, JSON Forms or json-editor is to be handed for a document, be it stored or
// new ("" or {}). Give RJSF or JSONForms the schema that comes out, and MergeSecrets the document that comes back.
//
// The document has the default of each field that stored lacks, as JSON Forms and json-editor would show such fields
// empty or not at all; stored's fields that the schema does not know; and no secret, not even the mark of one, for which a
// library would draw an object. The schema is the given one but for the secrets that have a value: they are not required, so that
// nobody has to enter them again, and say so in an x-placeholder.
func Prepare(schema, stored []byte) (prepared, document []byte, err error) {
	old, err := object(stored)
	if err != nil {
		return nil, nil, err
	}
	secrets, err := SecretFields(schema)
	if err != nil {
		return nil, nil, err
	}
	root, err := readMembers(schema)
	if err != nil {
		return nil, nil, err
	}
	properties, err := readMembers(root.values["properties"])
	if err != nil {
		return nil, nil, err
	}
	var required []string
	if raw, ok := root.values["required"]; ok {
		if err := json.Unmarshal(raw, &required); err != nil {
			return nil, nil, fmt.Errorf("options schema: required: %w", err)
		}
	}
	doc := members{values: map[string]json.RawMessage{}}
	for _, key := range properties.keys {
		if slices.Contains(secrets, key) {
			if !isSet(old[key]) {
				continue
			}
			required = slices.DeleteFunc(required, func(r string) bool { return r == key })
			p, err := readMembers(properties.values[key])
			if err != nil {
				return nil, nil, err
			}
			p.put("x-placeholder", json.RawMessage(`"Leave empty to keep it"`))
			properties.put(key, p.bytes())
			continue
		}
		var p struct {
			Default json.RawMessage `json:"default"`
		}
		if err := json.Unmarshal(properties.values[key], &p); err != nil {
			return nil, nil, fmt.Errorf("options schema: %s: %w", key, err)
		}
		if v, ok := old[key]; ok {
			doc.put(key, v)
		} else if p.Default != nil {
			doc.put(key, p.Default)
		}
	}
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

// isSet reports whether a secret has a value, be it there or only marked.
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

// members is a JSON object that keeps the order of its keys, which is the order of the form.
type members struct {
	keys   []string
	values map[string]json.RawMessage
}

func readMembers(object []byte) (members, error) {
	m := members{values: map[string]json.RawMessage{}}
	if err := json.Unmarshal(object, &m.values); err != nil {
		return m, fmt.Errorf("options schema: %w", err)
	}
	var err error
	m.keys, err = objectKeys(object)
	return m, err
}

func (m *members) put(key string, value json.RawMessage) {
	if _, ok := m.values[key]; !ok {
		m.keys = append(m.keys, key)
	}
	m.values[key] = value
}

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
