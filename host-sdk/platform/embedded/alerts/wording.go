package alerts

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// teamNames writes team names for people: "DevOps", "DevOps and Support". A team that has left the
// file is named by its id.
func teamNames(f *switchboardfile.File, ids []string) string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		if t := f.Team(id); t != nil {
			names = append(names, t.Name)
		} else {
			names = append(names, id)
		}
	}
	return enumerate(names)
}

// userNames writes people's names: "Alice Example and Bob Example".
func userNames(f *switchboardfile.File, ids []string) string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		names = append(names, userName(f, id))
	}
	return enumerate(names)
}

// userName is the id for a person who is no longer in the file.
func userName(f *switchboardfile.File, id string) string {
	if u := f.User(id); u != nil {
		return u.Name
	}
	return id
}

// enumerate joins names as in a sentence: "A, B and C".
func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// describe says what a page means, to follow a reason and a semicolon: "waiting for layer 2: Carol
// Example". Whom
// nothing reaches is named as such: the lines that say who was told come only once they were. It is
// called before the layer is changed, so c still has the round that is being left.
func (c *change) describe(p page) string {
	var b strings.Builder
	if p.gone {
		return "its team is no longer in the file: dropped"
	}
	if p.empty {
		return "nobody is on call in any layer: dropped"
	}
	if n := len(p.skipped); n > 0 {
		layers := make([]string, n)
		for i, l := range p.skipped {
			layers[i] = strconv.Itoa(l)
		}
		word := "layer"
		if n > 1 {
			word = "layers"
		}
		fmt.Fprintf(&b, "nobody is on call in %s %s; ", word, enumerate(layers))
	}
	if p.layer == 0 {
		b.WriteString("no further layer is left: dropped")
		return b.String()
	}
	if p.round > max(c.round, 1) {
		fmt.Fprintf(&b, "round %d, ", p.round)
	}
	names := make([]string, 0, len(p.users))
	for _, id := range p.users {
		name := userName(c.file, id)
		if !c.reaches(c.file.User(id)) {
			name += " (gets no mail or notification)"
		}
		names = append(names, name)
	}
	fmt.Fprintf(&b, "waiting for layer %d: %s", p.layer, enumerate(names))
	return b.String()
}

// reasonSuffix appends a reason, written by the plugin as a sentence, to the middle of one. It
// returns "" for no reason.
func reasonSuffix(reason string) string {
	reason = strings.TrimSuffix(strings.TrimSpace(reason), ".")
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}
