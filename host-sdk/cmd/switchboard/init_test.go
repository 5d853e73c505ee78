package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

// environmentOf are the settings of an environment file, as a shell reads them.
func environmentOf(t *testing.T, path string) (env []string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `env -i sh -c 'set -a; . "$1"; set +a; env' sh "$1"`, "sh", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "SWITCHBOARD_") {
			env = append(env, line)
		}
	}
	return env
}

// tokenOf is the API token of an environment.
func tokenOf(env []string) string {
	for _, line := range env {
		if value, ok := strings.CutPrefix(line, "SWITCHBOARD_API_TOKEN="); ok {
			return value
		}
	}
	return ""
}

// typed runs a command in dir with answers on its standard input.
func typed(t *testing.T, dir, answers string, args ...string) (status int, out string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), runVariable + "=1", pluginVariable + "=good", "SWITCHBOARD_PLUGIN_DIR=" + pluginHome, "TZ=Europe/Berlin"}
	cmd.Stdin = strings.NewReader(answers)
	text, _ := cmd.CombinedOutput() // the status says whether it is an error
	return cmd.ProcessState.ExitCode(), string(text)
}

// What init writes of flags and defaults can be started at once.
func TestInitWritesWhatAHostStartsWith(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	status, out := typed(t, dir, "", "init", "--yes", "--team", "DevOps", "--person", "Zoë O'Neil", "--phone", "+1 (202) 555-0143", "--email", "zoe@example.com", "--number", "+12025550100")
	for _, want := range []string{"switchboard.yaml  people", "switchboard.env  settings", "1. Keep SWITCHBOARD_SECRET_KEY", "set -a; . ./switchboard.env; set +a", "switchboard serve", "switchboard doctor", "Connect +12025550100"} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("status %d, want %q:\n%s", status, want, out)
		}
	}
	for _, name := range []string{"switchboard.yaml", "switchboard.env"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "switchboard.yaml"))
	if err != nil || !strings.Contains(string(text), "timezone: Europe/Berlin") || !strings.Contains(string(text), `phones: ["+12025550143"]`) {
		t.Errorf("%v\n%s", err, text)
	}
	env := environmentOf(t, filepath.Join(dir, "switchboard.env"))
	says(t, dir, env, 0, []string{"switchboard.yaml is valid: 1 user, 1 team, 0 routers"}, "config", "check")
	says(t, dir, env, 0, []string{"Zoë O'Neil"}, "oncall")
	p := start(t, dir, env...).ready()
	says(t, dir, env, 0, []string{"ok: the settings can be used", "leads to this switchboard", "warning: there is no mail server"}, "doctor")
	token := tokenOf(env)
	id := p.create(token)
	p.optionsOpen(id, token)
	if _, err := os.Stat(filepath.Join(dir, "switchboard-data", "secret-key")); !os.IsNotExist(err) {
		t.Errorf("the host has made a key of its own: %v", err)
	}
	before := string(text)
	if status, out := typed(t, dir, "", "init", "--yes", "--person", "X", "--phone", "+12025550144"); status != 1 || !strings.Contains(out, "switchboard.yaml exists already, and nothing is overwritten") {
		t.Errorf("a second time: status %d: %s", status, out)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "switchboard.yaml")); string(text) != before {
		t.Error("the file was changed")
	}
}

// The answers to the questions, a line each.
func TestInitAsks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	answers := "Example Operations\nAmerica/New_York\nhttps://hotline.example.com/\n+12025550100\nAlice Example\n+12025550143\nalice@example.com\nsmtps://hotline%40example.com:p$ss'word@mail.example.com?from=hotline@example.com\n"
	status, out := typed(t, dir, answers, "init", "--config", "conf.yaml", "--environment", "env")
	if status != 0 || !strings.Contains(out, "alice@example.com or the API token of env") || !strings.Contains(out, "Let https://hotline.example.com/ lead to 127.0.0.1:8080") {
		t.Fatalf("status %d: %s", status, out)
	}
	if strings.Contains(out, "p$ss") {
		t.Errorf("the password is printed: %s", out)
	}
	got := strings.Join(environmentOf(t, filepath.Join(dir, "env")), "\n")
	for _, want := range []string{"SWITCHBOARD_PUBLIC_URL=https://hotline.example.com\n", "SWITCHBOARD_TRUSTED_PROXIES=127.0.0.1,::1", "p$ss%27word@mail", "SWITCHBOARD_CONFIG=" + dir + "/conf.yaml", "SWITCHBOARD_DATA_DIR=" + dir + "/switchboard-data"} {
		if !strings.Contains(got+"\n", want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	says(t, dir, environmentOf(t, filepath.Join(dir, "env")), 0, []string{"conf.yaml is valid"}, "config", "check")
}

// Wrong answers are said at once, and nothing is written.
func TestInitRefusesWhatCannotBeUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	person := []string{"--person", "Alice", "--phone", "+12025550143"}
	for _, c := range []struct {
		says string
		args []string
	}{
		{"--person: an answer is needed", []string{"--yes"}},
		{"--phone: an answer is needed", []string{"--yes", "--person", "Alice"}},
		{`--phone: "0202 5550143" is no telephone number`, []string{"--yes", "--person", "Alice", "--phone", "0202 5550143"}},
		{`--time-zone: "Mars/Olympus" is no time zone`, append([]string{"--yes", "--time-zone", "Mars/Olympus"}, person...)},
		{"--public-url: public_url is not a web address", append([]string{"--yes", "--public-url", "hotline.example.com"}, person...)},
		{`--email: "alice" is not an e-mail address`, append([]string{"--yes", "--email", "alice"}, person...)},
		{`--number: "12" is no telephone number`, append([]string{"--yes", "--number", "12"}, person...)},
		{"is the number of the hotline itself", append([]string{"--yes", "--number", "+12025550143"}, person...)},
		{"--person: want a name of one line", []string{"--yes", "--person", "Al\nice", "--phone", "+12025550143"}},
		{"Name: there is no answer: give --person", nil},
		{"unexpected argument now", []string{"now"}},
	} {
		if status, out := typed(t, dir, "", append([]string{"init"}, c.args...)...); status != 1 || !strings.Contains(out, c.says) {
			t.Errorf("%v: status %d, want %q: %s", c.args, status, c.says, out)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// The plugin's questions are answered by lines, or by the environment with --yes; the integration
// is there when the host starts.
func TestInitAsksWhatThePluginNeeds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	status, out := typed(t, dir, "DevOps\n\n\n\nAlice\n+12025550143\n\n\nhello\n", "init")
	if status != 0 || !strings.Contains(out, "with the integration DevOps") || strings.Contains(out, "create an integration") || strings.Contains(out, "Install the plugin") {
		t.Fatalf("status %d: %s", status, out)
	}
	env := environmentOf(t, filepath.Join(dir, "switchboard.env"))
	start(t, dir, env...).ready()
	says(t, dir, env, 0, []string{"DevOps"}, "doctor")

	dir = t.TempDir()
	if status, out := typed(t, dir, "DevOps\n\n\n\nAlice\n+12025550143\n\n\n\n", "init"); status != 0 || strings.Contains(out, "with the integration") || !strings.Contains(out, "create an integration") {
		t.Errorf("left out: status %d: %s", status, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "switchboard-data")); !os.IsNotExist(err) {
		t.Errorf("a data directory was made for nothing: %v", err)
	}
}

// Of several plugins, an answer or --plugin names the one that takes the calls.
func TestInitAsksWhichPluginTakesTheCalls(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "plugins")
	for _, id := range []string{hosttest.PluginID, "otherline"} {
		if err := makePlugin(home, id, "1.2.3", 1); err != nil {
			t.Fatal(err)
		}
	}
	const first = "DevOps\n\n\n\nAlice\n+12025550143\n\n\n"
	yes := []string{"--yes", "--person", "Alice", "--phone", "+12025550143"}
	for _, c := range []struct {
		name, answers string
		args          []string
		status        int
		says, lacks   string
	}{
		{"an answer", first + "otherline\nhello\n", nil, 0, "with the integration DevOps", "create an integration"},
		{"no answer", first + "\n", nil, 0, "create an integration", "with the integration"},
		{"an answer that names none", first + "nothing\n", nil, 1, "want one of otherline, testline", "Written"},
		{"a flag", first + "hello\n", []string{"--plugin", "otherline"}, 0, "with the integration DevOps", "create an integration"},
		{"a flag that names none", "", []string{"--plugin", "nothing"}, 1, `"nothing" is not installed; installed: otherline, testline`, "Written"},
		{"nothing is asked", "", yes, 0, "create an integration", "with the integration"},
	} {
		dir := t.TempDir()
		status, out := typed(t, dir, c.answers, append([]string{"init", "--plugin-dir", home}, c.args...)...)
		if status != c.status || !strings.Contains(out, c.says) || strings.Contains(out, c.lacks) || strings.Contains(out, "Install the plugin") {
			t.Errorf("%s: status %d, want %d, %q and not %q:\n%s", c.name, status, c.status, c.says, c.lacks, out)
		}
		if !strings.Contains(c.says, "with the integration") {
			continue
		}
		env := append(environmentOf(t, filepath.Join(dir, "switchboard.env")), "SWITCHBOARD_PLUGIN_DIR="+home)
		p := start(t, dir, env...).ready()
		if _, body := p.send("GET", "/api/v1/integrations", tokenOf(env), "", ""); !strings.Contains(body, `"plugin":"otherline"`) {
			t.Errorf("%s: the integrations are %s", c.name, body)
		}
		p.stop()
	}
}
