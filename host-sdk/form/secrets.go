package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// SecretFields lists the properties of a schema that are marked x-secret or writeOnly, in the
// schema's order. Both marks count, so that a schema whose author forgot one of them does not show
// its secrets.
func SecretFields(schema []byte) ([]string, error) {
	var s struct {
		Properties json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(schema, &s); err != nil {
		return nil, fmt.Errorf("options schema: %w", err)
	}
	props := map[string]struct {
		Secret    bool `json:"x-secret"`
		WriteOnly bool `json:"writeOnly"`
	}{}
	if err := json.Unmarshal(s.Properties, &props); err != nil {
		return nil, fmt.Errorf("options schema: properties: %w", err)
	}
	keys, err := objectKeys(s.Properties)
	if err != nil {
		return nil, err
	}
	var secret []string
	for _, k := range keys {
		if props[k].Secret || props[k].WriteOnly {
			secret = append(secret, k)
		}
	}
	return secret, nil
}

// objectKeys returns the keys of a JSON object in their written order, which a Go map does not
// keep. The decoder reads token by token, and skips each value whole.
func objectKeys(object []byte) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("options schema: properties must be an object")
	}
	var keys []string
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := t.(string)
		keys = append(keys, key)
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// MergeSecrets completes a document that a person submitted. A secret that is absent, "" or {"set":
// …} keeps its value from old; null deletes it. An empty string keeps the value because some form
// libraries send it for an input that nobody touched. All other values are kept as they are. Keys
// are written in alphabetical order.
func MergeSecrets(sent, old []byte, secrets []string) ([]byte, error) {
	doc, err := object(sent)
	if err != nil {
		return nil, err
	}
	before, err := object(old)
	if err != nil {
		return nil, err
	}
	// Whatever a form library does with a field that it may not show ends in one of these: it
	// leaves it out, sends an empty text, or sends the mark back.
	for _, k := range secrets {
		v, present := doc[k]
		text := string(bytes.TrimSpace(v))
		switch {
		case text == "null": // the only way to delete, so that no form deletes by accident
			delete(doc, k)
		case !present || text == `""` || isSetMark(v):
			delete(doc, k)
			if kept, ok := before[k]; ok {
				doc[k] = kept
			}
		}
	}
	return json.Marshal(doc)
}

// Overlay replaces the secrets in doc by those in current. A call keeps the options with which it
// began, but a rotated secret must work at once.
func Overlay(doc, current []byte, secrets []string) ([]byte, error) {
	d, err := object(doc)
	if err != nil {
		return nil, err
	}
	now, err := object(current)
	if err != nil {
		return nil, err
	}
	for _, k := range secrets {
		delete(d, k)
		if v, ok := now[k]; ok {
			d[k] = v
		}
	}
	return json.Marshal(d)
}

// HideSecrets returns the document as it may be shown: each secret that has a value becomes {"set":
// true}. It must run before a document leaves the host: pages, API and logs see nothing else.
func HideSecrets(doc []byte, secrets []string) ([]byte, error) {
	d, err := object(doc)
	if err != nil {
		return nil, err
	}
	for k, v := range d {
		switch {
		case !slices.Contains(secrets, k):
		case isSet(v):
			d[k] = json.RawMessage(`{"set":true}`)
		default: // a mark would say that there is a value
			delete(d, k)
		}
	}
	return json.Marshal(d)
}

// isSetMark reports whether a value is the mark {"set": …} that stands for a secret which is not
// shown.
func isSetMark(v json.RawMessage) bool {
	var mark struct {
		Set *bool `json:"set"`
	}
	return json.Unmarshal(v, &mark) == nil && mark.Set != nil
}

// object reads a document; an empty one is an empty object.
func object(doc []byte) (map[string]json.RawMessage, error) {
	m := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(doc)) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(doc, &m); err != nil || m == nil {
		return nil, errNoObject
	}
	return m, nil
}
