package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// platformOf reads the platform of a switchboard file in a folder.
func platformOf(t *testing.T, dir, text string) (Platform, string) {
	t.Helper()
	file, problems := switchboardfile.Parse(filepath.Join(dir, "switchboard.yaml"), []byte(text))
	if file == nil {
		t.Fatal(switchboardfile.Text(problems))
	}
	p, problems := ReadPlatform(file)
	return p, switchboardfile.Text(problems)
}

// keep writes a file that its owner alone can read.
func keep(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	canaryToken = "canary-token-canary-token-canary-token"
	hintsOne    = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	hintsTwo    = "whsec_eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg="
	goalertKeys = `{"call_key": "canary-call", "poll_key": "canary-poll", "webhook_token": "canary-hook",
		"services": [{"id": "11111111-1111-4111-8111-111111111111", "key": "canary-service"}]}`
)

func TestSecretsOfAPlatformComeFromTheEnvironmentOrAFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("INCIDENTS_TOKEN", canaryToken+"\n")
	keep(t, filepath.Join(dir, "hints"), hintsOne+"\n"+hintsTwo+"\n")
	p, problems := platformOf(t, dir, `platform: {kind: remote, url: "https://incidents.example.com", tenant: a, token: {env: INCIDENTS_TOKEN}, hints_secret: {file: hints}}`)
	if problems != "" {
		t.Fatal(problems)
	}
	want := Remote{URL: "https://incidents.example.com", Token: canaryToken, HintsSecrets: []Secret{hintsOne, hintsTwo}, Tenant: "a"}
	if diff := cmp.Diff(want, p.Remote); diff != "" {
		t.Error(diff)
	}
	keep(t, filepath.Join(dir, "keys.json"), goalertKeys)
	p, problems = platformOf(t, dir, `platform: {kind: goalert, url: "https://goalert.example.com", keys: {file: keys.json}}`)
	if problems != "" {
		t.Fatal(problems)
	}
	if c := p.GoAlert.Config(); c.CallKey != "canary-call" || c.PollKey != "canary-poll" || c.WebhookToken != "canary-hook" || c.Services[0].Key != "canary-service" {
		t.Errorf("keys are not as in the document: %d services", len(c.Services))
	}
	for _, text := range []string{fmt.Sprint(p), fmt.Sprintf("%+v", p)} {
		if strings.Contains(text, "canary") {
			t.Errorf("a secret is shown: %s", text)
		}
	}
}

func TestWhatIsWrongWithAPlatformIsSaidWithItsPlaceAndWithoutSecrets(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("INCIDENTS_TOKEN", canaryToken)
	t.Setenv("SHORT", "canary")
	keep(t, filepath.Join(dir, "empty"), "\n")
	keep(t, filepath.Join(dir, "keys.json"), goalertKeys)
	keep(t, filepath.Join(dir, "one.json"), strings.Replace(goalertKeys, "canary-poll", "canary-call", 1))
	keep(t, filepath.Join(dir, "open"), canaryToken)
	if err := os.Chmod(filepath.Join(dir, "open"), 0o644); err != nil {
		t.Fatal(err)
	}
	for text, say := range map[string]string{
		`{kind: remote, url: "https://a.example.com", token: {env: NOWHERE}}`:                                                      "switchboard.yaml:1:63: platform.token: the environment variable NOWHERE is not set",
		`{kind: remote, url: "https://a.example.com", token: {file: nowhere}}`:                                                     "platform.token: there is no file " + filepath.Join(dir, "nowhere"),
		`{kind: remote, url: "https://a.example.com", token: {file: empty}}`:                                                       "empty is empty",
		`{kind: remote, url: "https://a.example.com", token: {file: open}}`:                                                        "chmod 600",
		`{kind: remote, url: "https://a.example.com", token: {env: SHORT}}`:                                                        "platform.token: it has 6 characters, at least 32 are needed",
		`{kind: remote, url: "http://a.example.com", token: {env: INCIDENTS_TOKEN}}`:                                               "platform.url: http to a.example.com would carry the token in clear",
		`{kind: remote, url: "https://a.example.com", token: {env: INCIDENTS_TOKEN}, hints_secret: {env: SHORT}}`:                  "platform.hints_secret: number 1: ",
		`{kind: remote, url: "https://a.example.com", token: {env: INCIDENTS_TOKEN}, ca_file: empty}`:                              "platform.ca_file: the file " + filepath.Join(dir, "empty") + " holds no certificate",
		`{kind: remote, url: "https://a.example.com", token: {env: INCIDENTS_TOKEN}, client_cert: x}`:                              "platform.client_cert: there is no client_key for it",
		`{kind: remote, url: "https://a.example.com", token: {env: INCIDENTS_TOKEN}, client_cert: nowhere, client_key: elsewhere}`: "platform.client_cert: open ",
		`{kind: goalert, url: "https://a.example.com", keys: {env: INCIDENTS_TOKEN}}`:                                              "platform.keys: it is not the JSON document that switchboard platform setup goalert writes",
		`{kind: goalert, url: "https://a.example.com", keys: {file: one.json}}`:                                                    "platform.keys: goalert: the two API keys are the same",
		`{kind: goalert, url: "goalert", keys: {file: keys.json}}`:                                                                 "platform.url: want GoAlert's public URL",
	} {
		_, problems := platformOf(t, dir, "platform: "+text)
		if !strings.Contains(problems, say) || strings.Contains(problems, "canary") {
			t.Errorf("%s\nwant %q, got:\n%s", text, say, problems)
		}
	}
}
