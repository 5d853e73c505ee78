package switchboardfile

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files")

const goodFile = `
users:
  - {id: alice, name: Alice Example, email: alice@example.com, phones: ["+12025550143"]}
  - {id: bob, name: Bob Example, email: bob@example.com, phones: ["+12025550144"]}
  - {id: carol, name: Carol Example, email: carol@example.com, phones: ["+12025550145"]}
teams:
  - id: devops
    name: DevOps
    admins: [alice]
    members: [alice, bob, carol]
    schedule:
      timezone: America/New_York
      layers:
        - rotation: {start: "2026-01-05T09:00", every: 1w, users: [alice, bob]}
        - users: [carol]
      overrides:
        - {layer: 1, from: "2026-12-24T09:00", to: "2026-12-26T09:00", users: [carol]}
    escalation: {layers: [{timeout: 5m}, {timeout: 10m}], repeat: 0}
  - id: support
    name: customer Support
    schedule:
      timezone: Europe/Berlin
      layers:
        - users: [bob, carol]
routers:
  - id: by-hour
    default_receiver: devops
    rules:
      - match: {call.country: US, call.zip: "02134"}
        actions: [{type: assign, receiver: [support, devops]}]
  - id: off
    enabled: false
    default_receiver: [support, by-hour]
    rules:
      - match: {}
        actions: [{type: assign, receiver: devops}]
settings:
  listen: 127.0.0.1:8080
  log_format: text
  workers: 4
`

func mustParse(t testing.TB, text string) *File {
	t.Helper()
	f, problems := Parse("test.yaml", []byte(text))
	if f == nil {
		t.Fatalf("refused:\n%s", Text(problems))
	}
	return f
}

func TestParse(t *testing.T) {
	t.Parallel()
	f := mustParse(t, goodFile)
	if diff := cmp.Diff(map[string]string{"listen": "127.0.0.1:8080", "log_format": "text", "workers": "4"}, f.Settings); diff != "" {
		t.Error(diff)
	}
	if got := time.Duration(f.Team("devops").Escalation.Layers[1].Timeout); got != 10*time.Minute {
		t.Errorf("time-out of layer 2 is %v", got)
	}
	if got := time.Duration(f.Team("support").Escalation.Layers[0].Timeout); got != DefaultTimeout {
		t.Errorf("time-out without an escalation section is %v", got)
	}
	if r := f.Router("by-hour").Rules; r == nil || r.Rules() != 1 {
		t.Errorf("rules of by-hour: %v", r)
	}
	if r := f.Router("off"); r.Enabled || !cmp.Equal(r.Defaults, []string{"support", "by-hour"}) || r.Name != "off" {
		t.Errorf("router off: %+v", r)
	}
	if p := f.ProblemAt("/settings/listen", "x"); p.Line != 38 || p.Column != 11 || p.Path != "settings.listen" {
		t.Errorf("a problem with settings.listen is at %s", p)
	}
	if f.User("dave") != nil || f.Team("x") != nil || f.Router("x") != nil {
		t.Error("unknown ids are found")
	}
}

// TestYearsThatNobodyPlansAreRefused holds that a mistyped year is refused in its line, with the
// remedy.
func TestYearsThatNobodyPlansAreRefused(t *testing.T) {
	t.Parallel()
	for _, year := range []string{"0000", "0206", "1600", "1999", "2101", "2326", "9026"} {
		_, problems := Parse("test.yaml", []byte(strings.NewReplacer("2026-01-05", year+"-01-05", "2026-12-24", year+"-12-24").Replace(goodFile)))
		want := []string{
			`test.yaml:14:29: teams[0].schedule.layers[0].rotation.start: time "` + year + `-01-05T09:00": the year must be between 2000 and 2100, such as 2026-01-05T09:00`,
			`test.yaml:17:28: teams[0].schedule.overrides[0].from: time "` + year + `-12-24T09:00": the year must be between 2000 and 2100, such as 2026-01-05T09:00`,
		}
		var got []string
		for _, p := range problems {
			got = append(got, p.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", year, diff)
		}
	}
}

// An override of which clocks skip every minute would silently be none. One that they skip in part
// counts for the rest, and on the night on which an hour comes twice nothing is skipped.
func TestAnOverrideThatClocksSkipIsRefused(t *testing.T) {
	t.Parallel()
	for times, refused := range map[string]bool{
		`from: "2027-03-14T02:10", to: "2027-03-14T02:50"`: true,
		`from: "2027-03-14T02:00", to: "2027-03-14T03:00"`: true,
		`from: "2027-03-14T01:59", to: "2027-03-14T02:50"`: false,
		`from: "2027-03-14T02:10", to: "2027-03-14T03:01"`: false,
		`from: "2027-03-28T02:10", to: "2027-03-28T02:50"`: false, // Europe's night, not New York's
		`from: "2026-11-01T01:10", to: "2026-11-01T01:50"`: false,
	} {
		f, problems := Parse("test.yaml", []byte(strings.Replace(goodFile, `from: "2026-12-24T09:00", to: "2026-12-26T09:00"`, times, 1)))
		said := Text(problems)
		if (f == nil) != refused || refused && !(strings.Contains(said, "overrides[0].to: clocks in America/New_York are put forward over all the time from 2027-03-14 02:") && strings.Contains(said, "choose other times")) {
			t.Errorf("%s: %s", times, said)
		}
	}
}

// TestProblems reads each testdata/bad/*.yaml and compares everything that is reported with its
// .golden file.
func TestProblems(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d test files, %v", len(files), err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			f, problems := Load(path)
			if f != nil {
				t.Error("the file is accepted")
			}
			var got strings.Builder
			for _, p := range problems {
				p.File = filepath.Base(p.File)
				got.WriteString(p.String() + "\n")
			}
			golden := strings.TrimSuffix(path, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestManyMistakesHaveAShortAnswer holds that the first ones are reported, with the number of the
// others, and that the file is read in a time that grows with its length.
func TestManyMistakesHaveAShortAnswer(t *testing.T) {
	t.Parallel()
	const number = 30_000
	lines := func(begin, format string) string {
		var b strings.Builder
		b.WriteString(begin)
		for i := range number {
			b.WriteString(strings.ReplaceAll(format, "#", strconv.Itoa(i)))
		}
		return b.String()
	}
	people := "users: [{id: a, name: A, phones: [\"+12025550143\"]}]\nteams: [{id: t, name: T, schedule: {timezone: UTC, layers: [{users: [a]}]}}]\n"
	for name, c := range map[string]struct{ text, first, last string }{
		"unknown keys":     {lines(people, "usres#: 1\n"), "x.yaml:3:1: usres0: is not known here", "x.yaml: … and 29950 more problems"},
		"unknown people":   {lines("users: [{id: a, name: A, phones: [\"+12025550143\"]}]\nteams:\n- id: t\n  name: T\n  schedule: {timezone: UTC, layers: [{users: [a]}]}\n  members:\n", "  - b#\n"), `x.yaml:7:5: teams[0].members[0]: there is no user "b0"`, "x.yaml: … and 29950 more problems"},
		"unknown defaults": {lines(people+"routers:\n", "- {id: r#, default_receiver: nobody#}\n"), `x.yaml:4:30: routers[0].default_receiver: there is no team or router "nobody0"`, "x.yaml: … and 29950 more problems"},
		"phones":           {lines("users:\n", "- {id: u#, name: N, phones: [x]}\n"), "x.yaml:1:1: teams: is missing", "x.yaml: … and 29951 more problems"},
		"same ids":         {lines("users:\n", "- {id: u, name: N}\n"), "x.yaml:1:1: teams: is missing", "x.yaml: … and 29950 more problems"},
	} {
		f, problems := Parse("x.yaml", []byte(c.text))
		if f != nil || len(problems) != maxProblems+1 {
			t.Errorf("%s: %d problems are reported, the file is %v", name, len(problems), f)
			continue
		}
		if n := Count(problems); n < number {
			t.Errorf("%s: %d problems are counted", name, n)
		}
		if first, last := problems[0].String(), problems[maxProblems].String(); !strings.HasPrefix(first, c.first) || last != c.last {
			t.Errorf("%s:\n%s\n%s", name, first, last)
		}
	}
}

func TestSettingsValuesAreNotRepeatedInProblems(t *testing.T) {
	t.Parallel()
	_, problems := Parse("x.yaml", []byte("users: []\nsettings:\n  smtp_url: {a: s3cret}\n  Api-Token: s3cret\n"))
	if len(problems) < 3 {
		t.Fatalf("problems: %v", problems)
	}
	if text := Text(problems); strings.Contains(text, "s3cret") {
		t.Errorf("a setting's value is repeated:\n%s", text)
	}
}

func TestLoadTellsWhatIsWrongWithThePath(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "none.yaml"), t.TempDir(), os.DevNull} {
		f, problems := Load(path)
		if f != nil || len(problems) != 1 || problems[0].Line != 0 || !strings.HasPrefix(problems[0].String(), path+": ") {
			t.Errorf("Load(%s): %v %v", path, f, problems)
		}
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	f, problems := Load("../../../cmd/switchboard/sample.yaml")
	if f == nil || len(problems) > 0 {
		t.Fatalf("the sample file has problems:\n%v", problems)
	}
	picture := f.OnCall(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), 24*time.Hour)
	if len(picture) != 2 || picture[0].Team.Name != "Customer Support" || picture[1].Team.Name != "DevOps" {
		t.Errorf("the menu is %v", picture)
	}
	for _, team := range picture {
		if len(team.Layers) != 2 || len(team.Gaps) != 0 {
			t.Errorf("%s: %d layers, gaps %v", team.Team.Name, len(team.Layers), team.Gaps)
		}
	}
}

// FuzzParse holds that no text makes the reader panic, and that whatever is accepted can be used.
func FuzzParse(f *testing.F) {
	f.Add(goodFile)
	f.Add("a: &x [1]\nb: *x\n<<: {c: 1}")
	f.Add("users: [{id: a, name: b}]\nteams: !!set {x}\n---\nz")
	f.Add("? [a, b]\n: c")
	f.Fuzz(func(t *testing.T, text string) {
		file, problems := Parse("fuzz.yaml", []byte(text))
		if file == nil && !Fatal(problems) {
			t.Fatal("refused without a problem")
		}
		if file != nil {
			_ = file.OnCall(time.Unix(1767225600, 0), time.Hour)
			if !json.Valid(file.root.JSON()) {
				t.Fatal("no JSON")
			}
		}
	})
}

// TestNoProblemRepeatsALongText holds for values of megabytes, which would fill log, pages and
// findings.
func TestNoProblemRepeatsALongText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9", 1_000_000)
	_, problems := Parse("x.yaml", []byte("users: [{id: a, name: A, phones: [\"+12025550143\"]}]\nteams: [{id: t, name: T, "+
		"schedule: {timezone: Europe/"+long+", layers: [{users: [a]}]}, escalation: {repeat: "+long+"}}]\n"))
	if Count(problems) < 2 {
		t.Errorf("%d problems", Count(problems))
	}
	for _, p := range problems {
		if text := p.String(); len(text) > 700 {
			t.Errorf("a problem has %d bytes: %.200s", len(text), text)
		}
	}
}

// TestPatternsOfAllRoutersTogetherAreBounded: each pattern is within its limit, each router within
// its own, and all together would take gigabytes.
func TestPatternsOfAllRoutersTogetherAreBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("users: [{id: a, name: A, phones: [\"+12025550143\"]}]\nteams: [{id: t, name: T, schedule: {timezone: UTC, layers: [{users: [a]}]}}]\nrouters:\n")
	for i := range 10 {
		fmt.Fprintf(&b, "- {id: r%d, default_receiver: t, rules: [", i)
		for range 100 {
			b.WriteString("{match: {call.from: {$regex: '^(a|b|c){1,500}$'}}, actions: [{type: assign, receiver: t}]}, ")
		}
		b.WriteString("]}\n")
	}
	f, problems := Parse("x.yaml", []byte(b.String()))
	if f != nil || !strings.Contains(Text(problems), "the patterns of all rules together are too large") {
		t.Errorf("file %v, problems:\n%.500s", f != nil, Text(problems))
	}
}

func TestSuggestionsInAFileOfManyNamesAreBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("users:\n")
	const number = 15_000
	for i := range number {
		fmt.Fprintf(&b, "- {id: u%d, name: N}\n", i)
	}
	b.WriteString("teams:\n- id: t\n  name: T\n  schedule: {timezone: UTC, layers: [{users: [u1]}]}\n  members:\n")
	for i := range 100 {
		fmt.Fprintf(&b, "  - v%d\n", i)
	}
	_, problems := Parse("x.yaml", []byte(b.String()))
	if n := strings.Count(Text(problems), "did you mean"); n < 1 || n > 1+maxNear/number {
		t.Errorf("%d suggestions for 100 unknown people among %d", n, number)
	}
}

func TestAPersonHasAFewPhones(t *testing.T) {
	t.Parallel()
	phones := make([]string, 21)
	for i := range phones {
		phones[i] = fmt.Sprintf("'+1202555%04d'", 100+i)
	}
	for _, number := range []int{20, 21} {
		f, problems := Parse("x.yaml", people(strings.Join(phones[:number], ", "), "DevOps"))
		if refused := strings.Contains(Text(problems), "users[0].phones: has too many entries: at most 20"); refused != (number > 20) || (f == nil) != refused {
			t.Errorf("%d phones: %s", number, Text(problems))
		}
	}
}

func TestALayerHasAtMostAHundredPeopleOnCallTogether(t *testing.T) {
	t.Parallel()
	for _, number := range []int{100, 101} {
		var users, ids strings.Builder
		for i := range number {
			fmt.Fprintf(&users, "- {id: u%d, name: N, phones: ['+1202555%04d']}\n", i, 100+i)
			fmt.Fprintf(&ids, "u%d, ", i)
		}
		for where, layer := range map[string]string{
			"layers[0].users":    "layers: [{users: [" + ids.String() + "]}]",
			"overrides[0].users": "layers: [{users: [u1]}], overrides: [{layer: 1, from: '2026-01-05T09:00', to: '2026-01-06T09:00', users: [" + ids.String() + "]}]",
			// One at a time.
			"": "layers: [{rotation: {start: '2026-01-05T09:00', every: 1d, users: [" + ids.String() + "]}}]",
		} {
			f, problems := Parse("x.yaml", []byte("users:\n"+users.String()+"teams: [{id: t, name: T, schedule: {timezone: UTC, "+layer+"}}]\n"))
			refused := number > 100 && where != ""
			if (f == nil) != refused || refused && !strings.Contains(Text(problems), where+": has too many entries: at most 100") {
				t.Errorf("%d in %q: %s", number, where, Text(problems))
			}
		}
	}
}
