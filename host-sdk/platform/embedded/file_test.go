package embedded

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
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
      - match: {z: 1, a: 2}
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
	f, problems := Parse("test.yaml", []byte(text), nil)
	if f == nil {
		t.Fatalf("refused:\n%s", problemText(problems))
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
	if got := string(f.Router("by-hour").Rules); !strings.HasPrefix(got, `[{"match":{"z":1,"a":2}`) {
		t.Errorf("rules lost their order: %s", got)
	}
	if r := f.Router("off"); r.Enabled || !cmp.Equal(r.Defaults, []string{"support", "by-hour"}) || r.Name != "off" {
		t.Errorf("router off: %+v", r)
	}
	if line, column := f.Position("/settings/listen"); line != 38 || column != 11 {
		t.Errorf("position of settings.listen is %d:%d", line, column)
	}
	if f.User("dave") != nil || f.Team("x") != nil || f.Router("x") != nil {
		t.Error("unknown ids are found")
	}
}

// TestProblems reads each testdata/bad/*.yaml and compares everything that is reported with its .golden file.
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

func TestSettingsValuesAreNotRepeatedInProblems(t *testing.T) {
	t.Parallel()
	_, problems := Parse("x.yaml", []byte("users: []\nsettings:\n  smtp_url: {a: s3cret}\n  Api-Token: s3cret\n"), nil)
	if len(problems) < 3 {
		t.Fatalf("problems: %v", problems)
	}
	if text := problemText(problems); strings.Contains(text, "s3cret") {
		t.Errorf("a setting's value is repeated:\n%s", text)
	}
}

func TestLoadTellsWhatIsWrongWithThePath(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "none.yaml"), t.TempDir()} {
		f, problems := Load(path)
		if f != nil || len(problems) != 1 || problems[0].Line != 0 || !strings.HasPrefix(problems[0].String(), path+": ") {
			t.Errorf("Load(%s): %v %v", path, f, problems)
		}
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	f, problems := Load("../../cmd/switchboard/sample.yaml")
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

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "1w": 168 * time.Hour, "2d": 48 * time.Hour, "90s": 90 * time.Second} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "m", "-5m", "1.5h", "5 m", "0s", "99999999999s", "4000d", "520w521w", "5x", "٣m"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v", text, got)
		}
	}
	for want, d := range map[string]time.Duration{"5 minutes": 5 * time.Minute, "1 hour 30 minutes": 90 * time.Minute, "1 minute": time.Minute, "0 seconds": 0, "2 days 1 second": 48*time.Hour + time.Second} {
		if got := spoken(d); got != want {
			t.Errorf("spoken(%v) = %q", d, got)
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
		file, problems := Parse("fuzz.yaml", []byte(text), nil)
		if file == nil && !Fatal(problems) {
			t.Fatal("refused without a problem")
		}
		if file != nil {
			_ = file.OnCall(time.Unix(1767225600, 0), time.Hour)
			if !json.Valid(file.root.json()) {
				t.Fatal("no JSON")
			}
		}
	})
}
