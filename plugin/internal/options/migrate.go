package options

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// migration turns a document of one format into the next, in place, and reports what it changed. It
// must not fail: what it cannot read stays for the schema to refuse.
type migration func(values map[string]any) []integration.Problem

// migrations[n] reads format n. Format 0 is the document of PagerTree's live call routing, whose
// keys are the names of its options: an administrator who moves may paste it.
var migrations = map[int]migration{0: fromPagerTree}

// migrate brings a document of a format to [Format]. 0 means today's, unless the document itself
// shows that it is older.
func migrate(values map[string]any, format int) []integration.Problem {
	if format == 0 && !isPagerTree(values) {
		return nil
	}
	var changed []integration.Problem
	// One step after the other, so each needs to know the next format only.
	for f := format; f < Format; f++ {
		if m := migrations[f]; m != nil {
			changed = append(changed, m(values)...)
		}
	}
	return changed
}

// optionPrefix precedes the names of options in PagerTree's API (PagerTree docs: api,
// integrations).
const optionPrefix = "option_"

// renamed lists the keys that have another name today. All other keys kept theirs.
var renamed = []struct{ old, key string }{
	{"welcome_media", "welcome"}, {"please_wait_media", "before_wait"}, {"music_media", "wait_music"}, {"connect_now_media", "before_connect"},
	{"no_answer_media", "voicemail_greeting"}, {"no_answer_thank_you_media", "after_voicemail"}, {"no_answer_no_record_media", "no_answer"},
	{"record", "voicemail"},
	{"record_emails", "voicemail_emails"}, {"record_emails_list", "voicemail_emails"}, {"record_email", "voicemail_emails"},
	{"banned_phones_list", "banned_phones"}, {"banned_phone", "banned_phones"},
}

// isPagerTree recognizes a document of format 0 by a key that no later format has. A document of
// today's that happens to be empty is not one.
func isPagerTree(values map[string]any) bool {
	for key := range values {
		if strings.HasPrefix(key, optionPrefix) || slices.ContainsFunc(renamed, func(r struct{ old, key string }) bool { return r.old == key }) {
			return true
		}
	}
	return false
}

// fromPagerTree renames keys and brings values into today's shapes. If today's key is there
// already, it wins. What has no counterpart, such as a file that PagerTree stores, stays under its
// old name and is reported as unknown. Each change is a warning, so that the administrator can look
// it over before saving.
func fromPagerTree(values map[string]any) []integration.Problem {
	var changed []integration.Problem
	take := func(old, key string, v any) {
		values[key] = v
		delete(values, old)
		changed = append(changed, integration.Problem{Path: key, Code: "migrated", Message: title(key) + " was taken over from " + strconv.Quote(old) + "."})
	}
	// First the prefix goes, so that the names below are found in either spelling.
	for _, old := range sortedKeys(values) {
		key, prefixed := strings.CutPrefix(old, optionPrefix)
		if !prefixed {
			continue
		}
		_, there := values[key]
		switch {
		case !there:
			values[key] = values[old]
			delete(values, old)
		case form().fields[key].Secret:
			delete(values, old) // under this name it would not be kept secret
		}
	}
	for _, r := range renamed {
		v := values[r.old]
		if v == nil || v == "" {
			delete(values, r.old)
			continue
		}
		// Today's key is there and wins; the old one stays, and is reported as unknown.
		if values[r.key] != nil {
			continue
		}
		if form().fields[r.key].Type == "array" {
			v = oldList(v)
		}
		if s, isText := v.(string); strings.HasSuffix(r.old, "_media") && (!isText || !isURL(s) && !strings.HasPrefix(s, "media:")) {
			continue // the name of a file that PagerTree stores, which has to be uploaded here
		}
		take(r.old, r.key, v)
	}
	for _, key := range []string{"banned_phones", "voicemail_emails"} {
		// Today's key with an old value.
		if v, isText := values[key].(string); isText {
			values[key] = oldList(v)
		}
	}
	// PagerTree kept all values as texts.
	for key, f := range form().fields {
		if s, isText := values[key].(string); isText {
			values[key] = oldScalar(f.Type, s)
		}
	}
	if n, ok := number(values["dial_pause"]); ok { // PagerTree limited it when a call used it
		values["dial_pause"] = json.Number(strconv.FormatInt(min(max(n, 1), 15), 10))
	}
	return changed
}

// sortedKeys makes what is reported the same each time.
func sortedKeys[V any](values map[string]V) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// oldScalar reads a number or a boolean written as text. Anything else stays as it is and is
// refused by the schema. kind is the type that the form wants.
func oldScalar(kind, s string) any {
	switch kind {
	case "boolean":
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "true", "1", "on", "yes":
			return true
		case "false", "0", "off", "no", "":
			return false
		}
	case "integer":
		if _, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64); err == nil {
			return json.Number(strings.TrimSpace(s))
		}
	}
	return s
}

// oldList reads a list that was written as such, as tags ([{"value": "…"}]), as JSON of either in a
// text, or with commas. Damaged lists stay as they are, for the schema to refuse.
func oldList(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			if tag, ok := e.(map[string]any); ok && len(tag) > 0 && tag["value"] != nil {
				e = tag["value"]
			}
			out = append(out, e)
		}
		return out
	case string:
		text := strings.TrimSpace(v)
		if strings.HasPrefix(text, "[") {
			var list []any
			if json.Unmarshal([]byte(text), &list) == nil {
				return oldList(list)
			}
			return v // damaged: refused by the schema instead of emptied silently
		}
		out := []any{}
		for _, e := range strings.Split(text, ",") {
			if e = strings.TrimSpace(e); e != "" {
				out = append(out, e)
			}
		}
		return out
	}
	return v
}
