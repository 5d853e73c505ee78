package integrationtests

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// initialise answers the questions of switchboard init in a folder, a line each.
func (h *hotline) initialise(dir string, answers ...string) (status int, out string) {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), binaries+"/switchboard", "init")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), "TZ=Europe/Berlin", "LIVECALL_TWILIO_API_URL=" + h.SimURL}
	cmd.Stdin = strings.NewReader(strings.Join(answers, "\n") + "\n")
	text, _ := cmd.CombinedOutput() // the status says whether it is an error
	return cmd.ProcessState.ExitCode(), string(text)
}

// TestInitMakesAHotlineThatOnlyNeedsItsNumber answers the questions of init, those of the plugin
// too, starts what it has made, connects the number, and calls.
func TestInitMakesAHotlineThatOnlyNeedsItsNumber(t *testing.T) {
	t.Parallel()
	// Before the host, which runs on one of them and is stopped before they are removed.
	refused, dir := t.TempDir(), t.TempDir()
	// For the simulated Twilio.
	h := start(t, nil, func(c *demo.Config) { c.NoSetUp, c.Env = true, nil })
	h.database = ""
	host := []string{"DevOps", "Europe/Berlin", "https://hotline.example.com", demo.Number, "Alice Example", alice, "alice@example.com", ""}
	account := []string{twiliosim.DefaultAccountSid, twiliosim.DefaultAPIKey, twiliosim.DefaultAPISecret, twiliosim.DefaultAuthToken}

	wrong := append(append([]string{}, host...), account[0], account[1], "wrong", account[3])
	if status, out := h.initialise(refused, wrong...); status != 1 || !strings.Contains(out, "no integration was made: api_key: Twilio refuses the API key") || !strings.Contains(out, "create an integration: its form asks") {
		t.Errorf("with a wrong secret: status %d:\n%s", status, out)
	}

	status, out := h.initialise(dir, append(host, account...)...)
	for _, want := range []string{"the database, with the integration DevOps", "connect " + demo.Number + " on the page of the integration"} {
		if status != 0 || !strings.Contains(out, want) || strings.Contains(out, "Install the plugin") {
			t.Fatalf("status %d, want %q:\n%s", status, want, out)
		}
	}
	written := out
	for _, name := range []string{"switchboard.yaml", "switchboard.env"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		written += string(text)
		if _, key, ok := strings.Cut(string(text), "SWITCHBOARD_SECRET_KEY='"); ok {
			key, _, _ = strings.Cut(key, "'")
			h.Setenv("SWITCHBOARD_SECRET_KEY=" + key)
		}
	}
	for _, secret := range account[2:] {
		if strings.Contains(written, secret) {
			t.Errorf("a secret of the account is printed, or in a file:\n%s", written)
		}
	}

	if err := h.StopSwitchboard(); err != nil {
		t.Fatal(err)
	}
	h.DataDir = filepath.Join(dir, "switchboard-data")
	h.Setenv("SWITCHBOARD_CONFIG=" + filepath.Join(dir, "switchboard.yaml"))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.StartSwitchboard(ctx); err != nil {
		t.Fatal(err)
	}
	var made []struct{ ID, Name string }
	if err := h.API(ctx, "GET", "/api/v1/integrations", nil, &made); err != nil || len(made) != 1 || made[0].Name != "DevOps" {
		t.Fatalf("%+v, %v", made, err)
	}
	h.ID = made[0].ID
	if _, err := h.Sim.AddNumber(twiliosim.Number{PhoneNumber: demo.Number}); err != nil {
		t.Fatal(err)
	}
	var connected struct {
		OK    bool
		Lines []struct{ Level, Text string }
	}
	path := "/api/v1/integrations/" + h.ID + "/actions/connect-number"
	if err := h.API(ctx, "POST", path, map[string]any{"values": map[string]string{"number": demo.Number}}, &connected); err != nil || !connected.OK {
		t.Fatalf("%+v, %v", connected, err)
	}
	c := h.dial()
	c.Hears(t, "music-")
	h.takes(alice)
	c.ConnectedTo(t, alice)
	h.converses(c)
	c.HangsUp()
	h.over(c, "connected")
}
