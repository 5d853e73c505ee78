package attacks

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// secrets are what must be nowhere, and in which forms.
func (h *hotline) secrets() map[string]string {
	all := map[string]string{
		"the API token": h.Token, "the secret key": secretKey, "the mail password": mailPass,
		"Twilio's auth token": twiliosim.DefaultAuthToken, "Twilio's API secret": twiliosim.DefaultAPISecret,
	}
	for name, secret := range all {
		all[name+" in base64"] = strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "=")
	}
	if key, err := base64.StdEncoding.DecodeString(secretKey); err == nil {
		all["the secret key's bytes"] = string(key)
	}
	return all
}

// none checks that a text has no secret.
func (h *hotline) none(t *testing.T, text string) {
	t.Helper()
	for name, secret := range h.secrets() {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("has %s: …%.200q", name, text[max(0, at-100):])
		}
	}
}

func TestSecretsAreNowhere(t *testing.T) {
	h := target
	// Something must have happened first: a call with an alert, a mail, a dial, actions, errors.
	c := h.arrive(t)
	c.follow(t, "menu", "Digits", "1") // the team that no other row has just rung
	c.follow(t, "hold", "QueueSid", "QU00000000000000000000000000000001")
	a := h.alertOf(t, c)
	eventually(t, "a responder is called", func() bool { return h.legsOf(c.sid) > 0 })
	c.over(t)
	b := h.loggedIn(t)
	action := func(name string) string {
		var out any
		err := h.API(t.Context(), "POST", "/api/v1/integrations/"+h.ID+"/actions/"+name, map[string]any{"values": map[string]string{}}, &out)
		return fmt.Sprint(out, err)
	}
	refuse := func(options string) string {
		got := h.send(t, request{method: "POST", target: "/api/v1/integrations?online=true", header: map[string]string{"Authorization": "Bearer " + h.Token, "Content-Type": "application/json"},
			body: `{"plugin":"livecall","name":"x","enabled":true,"destinations":[{"kind":"team","id":"devops"}],"options":` + options + `}`})
		return got.body
	}
	wrongKey := fmt.Sprintf(`{"account_sid":%q,"api_key":%q,"api_secret":%q,"auth_token":%q}`, twiliosim.DefaultAccountSid, "SK99999999999999999999999999999999", twiliosim.DefaultAPISecret, twiliosim.DefaultAuthToken)
	for _, row := range []struct {
		where string
		text  func() string
	}{
		{"the alert's page", func() string { return b.get(t, "/alerts/"+a.ID).body }},
		{"the list of alerts", func() string { return b.get(t, "/alerts").body }},
		{"the call's page", func() string { return b.get(t, "/calls/"+c.sid).body }},
		{"the integration's form", func() string { return b.get(t, "/settings/integrations/"+h.ID).body }},
		{"the log-in page after a wrong token", func() string {
			return h.send(t, request{target: "/login", form: url.Values{"token": {h.Token + "x"}}, from: "127.0.0.20"}).body
		}},
		{"the API: alerts", func() string { return h.text(t, "/api/v1/alerts") }},
		{"the API: calls", func() string { return h.text(t, "/api/v1/calls") }},
		{"the API: integrations", func() string { return h.text(t, "/api/v1/integrations") }},
		{"the API: plugins", func() string { return h.text(t, "/api/v1/plugins") }},
		{"the API: the form", func() string { return h.text(t, "/api/v1/plugins/livecall/options-schema") }},
		{"/metrics", func() string { return h.text(t, "/metrics") }},
		{"/readyz", func() string { return h.text(t, "/readyz") }},
		{"the action check", func() string { return action("check") }},
		{"an action that fails", func() string { return action("nowhere") }},
		{"refused options", func() string {
			return refuse(`{"account_sid":"` + h.Token + `","api_secret":["` + twiliosim.DefaultAPISecret + `"],"api_key":{"a":"` + mailPass + `"}}`)
		}},
		{"options that Twilio refuses", func() string { return refuse(wrongKey) }},
		{"JSON that is broken behind a secret", func() string { return refuse(`{"api_secret":"` + twiliosim.DefaultAPISecret + `",}`) }},
		{"an error for a wrong bearer token", func() string {
			return h.send(t, request{target: "/api/v1/alerts", header: map[string]string{"Authorization": "Bearer " + mailPass}, from: "127.0.0.20"}).body
		}},
		{"what Twilio is sent", func() string {
			var all strings.Builder
			for _, e := range h.Sim.Events(0) {
				fmt.Fprintln(&all, e.URL, e.Params)
			}
			return all.String()
		}},
		{"mails", func() string { return strings.Join(h.mails.Texts(), "\n") }},
		{"the log", h.log.String},
		{"the command lines", func() string { return h.processes(t, "cmdline") }},
		{"the plugin's environment", func() string { return h.pluginEnvironment(t) }},
	} {
		t.Run(row.where, func(t *testing.T) {
			text := row.text()
			if text == "" {
				t.Fatal("there is nothing to look at")
			}
			h.none(t, text)
		})
	}
	t.Run("the database's files", func(t *testing.T) {
		files, err := filepath.Glob(h.DataDir + "/*")
		if err != nil || len(files) == 0 {
			t.Fatalf("%v, %v", files, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for name, secret := range h.secrets() {
				if bytes.Contains(data, []byte(secret)) {
					t.Errorf("%s has %s", filepath.Base(file), name)
				}
			}
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && strings.Contains(file, "switchboard.db") {
				t.Errorf("%s is open to others: %v", file, info.Mode())
			}
		}
	})
	t.Run("issued addresses are not in the log, on pages or in the API", func(t *testing.T) {
		secret := token(c.address["menu"])
		if secret == "" {
			t.Fatal("no address was issued")
		}
		for where, text := range map[string]string{"log": h.log.String(), "call page": b.get(t, "/calls/"+c.sid).body, "API": h.text(t, "/api/v1/calls/"+c.sid), "alert": h.text(t, "/api/v1/alerts/"+a.ID)} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s has the token of an issued address", where)
			}
		}
	})
}

// text is the body of an answer to somebody who is logged in.
func (h *hotline) text(t *testing.T, path string) string {
	t.Helper()
	return h.send(t, request{target: path, header: map[string]string{"Authorization": "Bearer " + h.Token}}).body
}

// children are the process ids of switchboard and of what it has started.
func (h *hotline) children(t *testing.T) []int {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("processes are looked at in /proc")
	}
	pids := []int{h.Process.Process.Pid}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, stat := range stats {
		data, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(pids[0]) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	if len(pids) < 2 {
		t.Fatal("the plugin's process was not found")
	}
	return pids
}

func (h *hotline) processes(t *testing.T, file string) string {
	t.Helper()
	var all strings.Builder
	for _, pid := range h.children(t) {
		data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		all.Write(data)
	}
	return all.String()
}

func (h *hotline) pluginEnvironment(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", h.children(t)[1]))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "SWITCHBOARD_") {
		t.Errorf("the plugin has variables of the host: %q", data)
	}
	return string(data)
}
