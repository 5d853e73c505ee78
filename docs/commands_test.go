package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/programs"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// TestCommandsOfPages runs the blocks marked sh of operator-guide.md, accounts.md and backup.md,
// one after the other, beside a host that runs with the sample file and has one integration, and
// those of tutorial-twilio.md in an empty folder.
func TestCommandsOfPages(t *testing.T) {
	t.Parallel()
	programsDir, work := t.TempDir(), t.TempDir()
	if err := programs.Build(t.Context(), "..", programsDir); err != nil {
		t.Fatal(err)
	}
	stack, err := demo.Start(t.Context(), demo.Config{
		Switchboard: filepath.Join(programsDir, "switchboard"), DataDir: filepath.Join(work, "switchboard-data"),
		Sim: twiliosim.Config{Lenient: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stack.Stop)
	// A host that made its token itself has it in this file.
	if err := os.WriteFile(filepath.Join(stack.DataDir, "api-token"), []byte(stack.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	here := strings.NewReplacer("https://hotline.example.com", stack.URL, "int_…", stack.ID,
		"AC…", twiliosim.DefaultAccountSid, "SK…", twiliosim.DefaultAPIKey,
		`"api_secret": "…"`, `"api_secret": "`+twiliosim.DefaultAPISecret+`"`, `"auth_token": "…"`, `"auth_token": "`+twiliosim.DefaultAuthToken+`"`)
	for page, least := range map[string]int{"operator-guide.md": 4, "accounts.md": 1, "backup.md": 1, "tutorial-twilio.md": 1} {
		said, ran, folder, text := "", 0, work, here.Replace
		if page == "tutorial-twilio.md" {
			// Its public address must be one of the Internet.
			folder, text = t.TempDir(), strings.Clone
		}
		for _, b := range blocksOf(read(t, page)) {
			switch {
			case b.note == "prints":
				for line := range strings.Lines(b.text) {
					if line = strings.TrimSpace(line); !strings.Contains(said, line) {
						t.Errorf("%s:%d: the commands do not print %q, but\n%s", page, b.line, line, said)
					}
				}
			case b.language == "sh":
				cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", text(b.text))
				cmd.Dir = folder
				cmd.Env = append(os.Environ(), "PATH="+programsDir+":"+os.Getenv("PATH"), "SWITCHBOARD_PUBLIC_URL="+stack.URL)
				out, err := cmd.CombinedOutput()
				if said = string(out); err != nil {
					t.Errorf("%s:%d: %v:\n%s", page, b.line, err, said)
				}
				ran++
			}
		}
		if ran < least {
			t.Errorf("%s: only %d blocks were run", page, ran)
		}
	}
	var list []struct{ Name string }
	if err := stack.API(t.Context(), "GET", "/api/v1/integrations", nil, &list); err != nil || len(list) != 2 || list[0].Name != "Hotline" {
		t.Errorf("the integrations are %v (%v), want the one of before and that of the guide", list, err)
	}
}
