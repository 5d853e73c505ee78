package wire

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// UnknownMember is a member of an answer that the protocol does not have.
type UnknownMember struct {
	Path  string // such as teams[].Name
	Meant string // the member that was likely meant and is not there; "": none is like it
}

// UnknownMembers lists the members of a JSON body that the type it is read into does not have. A
// reader passes over them, so that one that is misspelt shows only as a value that is missing.
func UnknownMembers(body []byte, into any) []UnknownMember {
	var value any
	if json.Unmarshal(body, &value) != nil {
		return nil // whoever reads the body reports that
	}
	var out []UnknownMember
	unknown("", value, reflect.TypeOf(into), &out)
	return out
}

// unknown walks over value along the type that it was read into, and stops where the type says
// nothing of what is inside, such as raw JSON and times. A list adds each member once, however many
// items have it.
func unknown(path string, value any, of reflect.Type, out *[]UnknownMember) {
	for of != nil && of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of == nil || of.Name() == "RawMessage" || of.PkgPath() == "time" {
		return
	}
	switch v := value.(type) {
	case []any:
		if of.Kind() == reflect.Slice {
			for _, item := range v {
				unknown(path+"[]", item, of.Elem(), out)
			}
		}
	case map[string]any:
		if of.Kind() != reflect.Struct {
			return
		}
		known := members(of)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at := strings.TrimPrefix(path+"."+name, ".")
			if member, ok := known[name]; ok {
				unknown(at, v[name], member, out)
			} else if u := (UnknownMember{Path: at, Meant: meant(name, known, v)}); !slices.Contains(*out, u) {
				*out = append(*out, u)
			}
		}
	}
}

// members has the type of each member by its name on the wire. Every member of the protocol has a
// tag; encoding/json's own rules for names without one do not come into it.
func members(of reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for f := range of.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out[name] = f.Type
	}
	return out
}

// meant is the known member that is most like name and is not there; "" if none is like it. Members
// that are there cannot be what was meant.
func meant(name string, known map[string]reflect.Type, there map[string]any) string {
	best, least := "", 3 // edits
	for _, candidate := range slices.Sorted(maps.Keys(known)) {
		if _, taken := there[candidate]; taken {
			continue
		}
		n := edits(plain(name), plain(candidate))
		// Fewer than three letters, and fewer than half of the word: id is not a slip of at.
		if n < least && (n == 0 || 2*n < len(candidate)) {
			best, least = candidate, n
		}
	}
	return best
}

// plain is a name without what naming styles differ in.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// edits counts the letters to add, drop or change to get from a to b (Levenshtein's distance).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := corner
			if a[i] != b[j] {
				changed++
			}
			corner = row[j+1]
			row[j+1] = min(changed, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
