package integrationtests

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// A night is a short story of callers and people on call, read from a file in testdata/nights. Its
// head says what is configured, its middle what happens, its end what the alerts must tell:
//
//	# What the story is about.
//	option voicemail true
//	team DevOps
//	layer 5m alice
//	layer 5m bob carol
//
//	bob's phone: decline
//	caller: calls; hear 'music-'
//	alice: rings; answer; hear 'press 1'; press 1
//	caller: connected alice; say 'The shop is down.' for 2m; hangup
//
//	caller's story: connected, acknowledged
//	Created
//	...
//
// Head:
//
//	option KEY VALUE           an option of the integration, as JSON or as a word
//	team NAME                  begins a team; without one there is DevOps
//	layer TIME [PERSON …]      the next layer of the team and its time-out
//	repeat N                   further rounds of the team
//	phones PERSON NUMBER …     other phones than usual, by their last four digits
//	alone                      has programs of its own: it kills them, or disturbs all of Twilio
//
// What happens is done line by line, each line to its end. "PERSON's phone:" sets what a phone does
// each time it rings, in the language of twiliosim.Script; besides it may be "unreachable" or
// "mailbox". One phone of several goes by its last four digits. In other lines the steps of that
// language are mixed with these:
//
//	calls [from NUMBER]                 a caller dials the hotline
//	told 'words'                        the caller's alert has such a line
//	alert STATUS                        the caller's alert has this status
//	rings [NUMBER]                      the person's phone (or that one) rings
//	acknowledges, declines, resolves, escalates [CALLER]   the person does so in the app
//	rang N                              so often the person's phones were called so far
//	twilio: fails STATUS[/CODE] [for PERSON]   requests to call somebody
//	twilio: loses recording, loses ended       requests of Twilio's
//	twilio: loses files                        sound files of files.example.com
//	twilio: dials                              and its answer is lost, once
//	twilio: heals                              all of these
//	plugin: killed; frozen              the plugin's process
//	host: killed; starts                switchboard's process
//	shift: layer N PERSON …             other people are on call from now on
//	integration: deleted                with the caller on the line
//	finding: CODE                       a warning stands beside the form
//
// Each caller's story names how the call ended, the alert's status, and all lines of the alert's
// log, with times and counts left out. Lines that begin with "& " and follow each other may come in
// any order; a line that begins with "? " may be missing.
type night struct {
	name    string
	options options
	teams   []nightTeam
	phones  map[string][]string // by person
	alone   bool
	lines   []nightLine
	stories map[string]*nightStory // by caller
	callers []string               // those with a story, in the file's order
	path    string
}

type nightTeam struct {
	name   string
	repeat string
	layers []nightLayer
}

type nightLayer struct {
	timeout string
	people  []string
}

// nightLine is what somebody does; standing says that it is what their phone does whenever it
// rings.
type nightLine struct {
	who      string
	standing bool
	script   string
}

type nightStory struct {
	ended, status string
	log           []string
}

// people are those of every night, with the last four digits of their phones.
var people = map[string][]string{
	"alice": {"0143"}, "bob": {"0144"}, "carol": {"0145", "0146"}, "dave": {"0147"}, "erin": nil, "frank": {"0148"},
}

// callers are the last four digits of the callers' numbers.
var callers = map[string]string{"caller": "0199", "caller2": "0198", "caller3": "0197"}

var nightLinePattern = regexp.MustCompile(`^([a-z0-9]+)('s phone|'s story)?: (.*)$`)

// readNights reads all stories, in alphabetical order.
func readNights(t *testing.T) []*night {
	t.Helper()
	files, err := filepath.Glob("testdata/nights/*.night")
	if err != nil || len(files) == 0 {
		t.Fatalf("no nights: %v", err)
	}
	slices.Sort(files)
	var nights []*night
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n, err := parseNight(string(text))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		n.path, n.name = path, strings.TrimSuffix(filepath.Base(path), ".night")
		nights = append(nights, n)
	}
	return nights
}

// parseNight reads a story; errors name the line.
func parseNight(text string) (*night, error) {
	n := &night{options: options{}, phones: map[string][]string{}, stories: map[string]*nightStory{}}
	var story *nightStory
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := nightLinePattern.FindStringSubmatch(line)
		var err error
		switch {
		case m != nil && m[2] == "'s story":
			ended, status, _ := strings.Cut(m[3], ", ")
			story = &nightStory{ended: ended, status: status}
			n.stories[m[1]], n.callers = story, append(n.callers, m[1])
		case story != nil:
			story.log = append(story.log, line)
		case m != nil:
			n.lines = append(n.lines, nightLine{who: m[1], standing: m[2] != "", script: m[3]})
		default:
			err = n.readHead(line)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d, %q: %w", i+1, line, err)
		}
	}
	if len(n.stories) == 0 {
		return nil, fmt.Errorf("no caller has a story")
	}
	return n, nil
}

// readHead reads a line about the configuration.
func (n *night) readHead(line string) error {
	word := strings.Fields(line)
	if word[0] == "alone" {
		n.alone = true
		return nil
	}
	if word[0] == "team" {
		n.teams = append(n.teams, nightTeam{name: strings.TrimPrefix(line, "team ")})
		return nil
	}
	if len(word) < 2 {
		return fmt.Errorf("want a word more")
	}
	if len(n.teams) == 0 && word[0] != "option" && word[0] != "phones" {
		n.teams = append(n.teams, nightTeam{name: "DevOps"})
	}
	switch word[0] {
	case "option":
		n.options[word[1]] = optionValue(strings.Join(word[2:], " "))
	case "layer":
		team := &n.teams[len(n.teams)-1]
		team.layers = append(team.layers, nightLayer{timeout: word[1], people: word[2:]})
	case "repeat":
		n.teams[len(n.teams)-1].repeat = word[1]
	case "phones":
		n.phones[word[1]] = word[2:]
	default:
		return fmt.Errorf("want option, team, layer, repeat, phones or alone")
	}
	return nil
}

// optionValue reads a JSON value, or a word as it is.
func optionValue(word string) any {
	var n int
	switch _, err := fmt.Sscanf(word, "%d", &n); {
	case word == "true", word == "false":
		return word == "true"
	case err == nil && fmt.Sprint(n) == word:
		return n
	}
	return word
}

// splitSteps splits a line at the semicolons outside of quotes.
func splitSteps(script string) []string {
	var steps []string
	quoted := false
	begin := 0
	for i, r := range script {
		switch {
		case r == '\'':
			quoted = !quoted
		case r == ';' && !quoted:
			steps, begin = append(steps, strings.TrimSpace(script[begin:i])), i+1
		}
	}
	return append(steps, strings.TrimSpace(script[begin:]))
}

// yaml is the switchboard file of this night: its people and teams, whose ids and numbers are its
// own, so that many nights fit into one file.
func (n *night) yaml(area string) (users, teams string) {
	var u, t strings.Builder
	for _, name := range sortedKeys(people) {
		full := strings.ToUpper(name[:1]) + name[1:] + " Example"
		var phones []string
		for _, p := range n.phonesOf(name) {
			phones = append(phones, fmt.Sprintf("%q", "+1"+area+"555"+p))
		}
		fmt.Fprintf(&u, "  - {id: %s.%s, name: %s, email: %s.%s@example.com, phones: [%s]}\n", name, area, full, name, area, strings.Join(phones, ", "))
	}
	for _, team := range n.teams {
		fmt.Fprintf(&t, "  - id: %s\n    name: %s %s\n    admins: [alice.%s]\n    members: [alice.%s]\n    schedule:\n      timezone: America/New_York\n      layers:\n",
			teamID(team.name, area), team.name, area, area, area)
		var times, nobody []string
		for i, l := range team.layers {
			var ids []string
			if len(l.people) == 0 { // the file wants a name in each layer; an override may empty it
				ids = append(ids, "erin."+area)
				nobody = append(nobody, fmt.Sprintf("{layer: %d, from: \"2020-01-01T00:00\", to: \"2099-01-01T00:00\", users: []}", i+1))
			}
			for _, p := range l.people {
				ids = append(ids, p+"."+area)
			}
			fmt.Fprintf(&t, "        - users: [%s]\n", strings.Join(ids, ", "))
			times = append(times, "{timeout: "+l.timeout+"}")
		}
		if nobody != nil {
			fmt.Fprintf(&t, "      overrides: [%s]\n", strings.Join(nobody, ", "))
		}
		repeat := team.repeat
		if repeat == "" {
			repeat = "0"
		}
		fmt.Fprintf(&t, "    escalation: {layers: [%s], repeat: %s}\n", strings.Join(times, ", "), repeat)
	}
	return u.String(), t.String()
}

func teamID(name, area string) string {
	return strings.ToLower(strings.ReplaceAll(name, " ", "-")) + "." + area
}

// phonesOf are the last four digits of a person's phones; such digits stand for that phone alone.
func (n *night) phonesOf(person string) []string {
	if strings.Trim(person, "0123456789") == "" {
		return []string{person}
	}
	if p, ok := n.phones[person]; ok {
		return p
	}
	return people[person]
}

// writeNights writes the switchboard file of some nights.
func writeNights(t *testing.T, path string, nights map[string]*night) {
	t.Helper()
	var users, teams string
	for _, area := range sortedKeys(nights) {
		u, m := nights[area].yaml(area)
		users, teams = users+u, teams+m
	}
	if err := os.WriteFile(path, []byte("users:\n"+users+"teams:\n"+teams), 0o600); err != nil {
		t.Fatal(err)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// What differs from run to run, and is left out of stories.
var (
	timesPattern  = regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+(\.\d+)?s\b|\b\d+ seconds?\b|\b\d+ (h|min|s)( \d+ (min|s))?\b`)
	dayPattern    = regexp.MustCompile(`\b\d\d:\d\d UTC`)
	linkPattern   = regexp.MustCompile(`http://\S+`)
	countsPattern = regexp.MustCompile(`was called \d+ times`)
)

// plain is a log line without what differs from run to run and from night to night.
func plain(line, area string) string {
	line = strings.ReplaceAll(line, "+1"+area+"555", "+1202555")
	for _, name := range []string{" " + area, "." + area} {
		line = strings.ReplaceAll(line, name, "")
	}
	line = timesPattern.ReplaceAllString(line, "<time>")
	line = dayPattern.ReplaceAllString(line, "<time>")
	line = linkPattern.ReplaceAllString(line, "<link>")
	line = countsPattern.ReplaceAllString(line, "was called <n> times")
	return strings.Join(strings.Fields(line), " ")
}

// sameStory compares lines. Those that begin with "& " in want may come in any order, those with
// "? " may be missing.
func sameStory(want, got []string) bool {
	want = slices.Clone(want)
	for i := 0; i < len(want); {
		line, optional := strings.CutPrefix(want[i], "? ")
		switch {
		case !optional:
			i++
		case i < len(got) && got[i] == line:
			want[i] = line
			i++
		default:
			want = slices.Delete(want, i, i+1)
		}
	}
	if len(want) != len(got) {
		return false
	}
	for i := 0; i < len(want); {
		j := i
		var group []string
		for ; j < len(want) && strings.HasPrefix(want[j], "& "); j++ {
			group = append(group, strings.TrimPrefix(want[j], "& "))
		}
		if j == i {
			if want[i] != got[i] {
				return false
			}
			i++
			continue
		}
		have := slices.Clone(got[i:j])
		slices.Sort(group)
		slices.Sort(have)
		if !slices.Equal(group, have) {
			return false
		}
		i = j
	}
	return true
}

func TestNightLanguage(t *testing.T) {
	t.Parallel()
	n, err := parseNight("# x\noption max_wait_time 90\nlayer 5m alice bob\nbob's phone: decline\ncaller: calls; hear 'a; b'\ncaller's story: connected, open\nCreated\n& b\n& a\n")
	if err != nil {
		t.Fatal(err)
	}
	if n.options["max_wait_time"] != 90 || n.teams[0].name != "DevOps" || len(n.teams[0].layers[0].people) != 2 || !n.lines[0].standing {
		t.Errorf("%+v", n)
	}
	if steps := splitSteps(n.lines[1].script); len(steps) != 2 || steps[1] != "hear 'a; b'" {
		t.Errorf("steps %q", steps)
	}
	if _, err := twiliosim.ParseScript(n.lines[0].script); err != nil {
		t.Error(err)
	}
	story := n.stories["caller"]
	if story.ended != "connected" || story.status != "open" || !sameStory(story.log, []string{"Created", "a", "b"}) || sameStory(story.log, []string{"a", "Created", "b"}) {
		t.Errorf("%+v", story)
	}
	if got := plain("The conversation with Alice Example (+12125550143) took 2 min 5 s.", "212"); got != "The conversation with Alice Example (+12025550143) took <time>." {
		t.Error(got)
	}
	for _, bad := range []string{"", "layer", "huh 1\ncaller's story: a, b"} {
		if _, err := parseNight(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
