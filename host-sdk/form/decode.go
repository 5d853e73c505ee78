package form

import (
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// mediaPrefix begins every reference to an uploaded file.
const mediaPrefix = "media:"

// Prefix precedes the key of an option in the name of its control, so that a form can contain
// options and fields of the host.
const Prefix = "option."

// Decode turns the values of a submitted form into a document. What should be a number but is not
// stays a string, so that validation refuses it and the form can show it again. An empty secret is
// left out, a removed one is null; see MergeSecrets. Fields of old that the schema does not know
// are kept. uploads maps keys to the references of files that were stored with this submission.
// Decode fails if old is not a JSON object.
func (f *Form) Decode(values url.Values, old []byte, uploads map[string]string) ([]byte, error) {
	// The document is built anew from what was sent. Of the old one remains what this form could
	// not show: fields of a newer or older schema, and fields that were not sent.
	before, err := object(old)
	if err != nil {
		return nil, err
	}
	doc := map[string]any{}
	for k, v := range before {
		if _, known := f.Field(k); !known {
			doc[k] = v
		}
	}
	// Only fields of the schema are read, so a request cannot add others to the document.
	for _, g := range f.Groups {
		for _, field := range g.Fields {
			// The value as it was sent; else the stored one, unless it is a secret, which
			// MergeSecrets sees to.
			if v, ok := field.decode(values); ok {
				doc[field.Key] = v
			} else if kept, was := before[field.Key]; was && !field.Secret && !values.Has(Prefix+field.Key) {
				doc[field.Key] = kept
			}
			// A file chosen now wins over what the text and the earlier file say.
			if ref := uploads[field.Key]; ref != "" {
				doc[field.Key] = ref
			}
		}
	}
	return json.Marshal(doc)
}

// decode returns the field's value, and whether the form had the field. A form that shows only some
// fields must not reset the others. A value of nil is JSON's null, by which MergeSecrets deletes a
// secret. Types are those of encoding/json, so that validation sees what a program would have sent.
func (field Field) decode(values url.Values) (any, bool) {
	name := Prefix + field.Key
	text := values.Get(name)
	switch {
	case field.ReadOnly:
		return nil, false
	case field.Secret:
		// Removing is a control of its own, because an empty input means that nobody touched it.
		if values.Get(name+".remove") != "" && text == "" {
			return nil, true
		}
		return strings.TrimSpace(text), strings.TrimSpace(text) != ""
	case field.Type == "boolean":
		// Browsers do not send an unchecked box; a hidden input says that the form had it.
		return text == "true", values.Has(name+".present") || values.Has(name)
	// A text that was entered wins over the uploaded file; without one the hidden input repeats its
	// reference.
	case field.Media != nil && strings.TrimSpace(text) == "" && strings.HasPrefix(values.Get(name+".media"), mediaPrefix):
		if values.Get(name+".remove") != "" {
			return "", true
		}
		return values.Get(name + ".media"), true
	case !values.Has(name):
		return nil, false
	case field.Type == "array":
		// Browsers end lines with CR LF, but not all that post forms are browsers.
		list := []string{}
		for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if line = strings.TrimSpace(line); line != "" {
				list = append(list, line)
			}
		}
		return list, true
	case field.Type == "integer" || field.Type == "number":
		text = strings.TrimSpace(text)
		if text == "" {
			return nil, false // an empty number means the default
		}
		// Whole numbers stay whole: as a float, one beyond 2^53 would change.
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, true
		}
		if n, err := strconv.ParseFloat(text, 64); err == nil && field.Type == "number" && !math.IsNaN(n) && !math.IsInf(n, 0) {
			return n, true
		}
		return text, true // JSON has no NaN and no infinity: they are refused as the text they are
	}
	return DateValue(field.Format, strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))), true
}

// Uploadable lists the keys of fields that take files, sorted. Their file inputs are named
// Prefix + KEY + ".upload".
func (f *Form) Uploadable() []string {
	var keys []string
	for _, g := range f.Groups {
		for _, field := range g.Fields {
			if field.Media != nil {
				keys = append(keys, field.Key)
			}
		}
	}
	slices.Sort(keys)
	return keys
}
