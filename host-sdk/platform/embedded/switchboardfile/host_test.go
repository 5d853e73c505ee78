package switchboardfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const remoteFile = `platform: {kind: remote, url: "https://incidents.example.com/livecall", token: {env: INCIDENTS_TOKEN}, hints_secret: {file: hints}}
accounts:
  - {email: alice@example.com, role: admin, user: u-1}
  - {email: bob@example.com}
`

func TestAnotherPlatformStandsInPlaceOfPeopleAndTeams(t *testing.T) {
	t.Parallel()
	f := mustParse(t, remoteFile)
	want := Platform{Kind: KindRemote, URL: "https://incidents.example.com/livecall", Token: SecretPlace{Env: "INCIDENTS_TOKEN"}, HintsSecret: SecretPlace{File: "hints"}}
	if diff := cmp.Diff(want, f.Platform); diff != "" {
		t.Error(diff)
	}
	accounts := []Account{{"alice@example.com", RoleAdmin, "u-1"}, {"bob@example.com", RoleResponder, ""}}
	if diff := cmp.Diff(accounts, f.Accounts()); diff != "" {
		t.Error(diff)
	}
}

func TestEachUserWithAnEMailIsAnAccount(t *testing.T) {
	t.Parallel()
	text := strings.Replace(string(people(`"+12025550143"`, "DevOps")), "teams:", "  - {id: bob, name: Bob, email: bob@example.com}\n  - {id: carol, name: Carol, email: carol@example.com}\nteams:", 1)
	f := mustParse(t, "accounts: [{email: Bob@example.com, role: viewer, user: bob}]\n"+text)
	want := []Account{{"Bob@example.com", RoleViewer, "bob"}, {"carol@example.com", RoleResponder, "carol"}}
	if diff := cmp.Diff(want, f.Accounts()); diff != "" {
		t.Error(diff)
	}
}

func TestWrongSectionsOfTheHostAreRefusedWithPlaceAndRemedy(t *testing.T) {
	t.Parallel()
	const goalert = "platform: {kind: goalert, url: \"https://goalert.example.com\", keys: {file: keys.json}}\n"
	embedded := string(people(`"+12025550143"`, "DevOps"))
	for name, c := range map[string]struct {
		text string
		says []string
	}{
		"two platforms":     {goalert + embedded, []string{"f.yaml:2:1: users: the goalert platform of line 1 keeps them: remove one", "f.yaml:4:1: teams: the goalert platform of line 1"}},
		"no platform":       {"settings: {}\n", []string{"users: is missing", "teams: is missing"}},
		"an unknown kind":   {"platform: {kind: pager}\n" + embedded, []string{`f.yaml:1:18: platform.kind: "pager" is not one of embedded, remote, goalert`}},
		"no address":        {"platform: {kind: remote, token: {env: X}}\n", []string{"platform.url: is missing"}},
		"no token":          {"platform: {kind: remote, url: x}\n", []string{"platform.token: is missing"}},
		"the token itself":  {"platform: {kind: remote, url: x, token: canary-4711}\n", []string{"platform.token: a secret is not written here: write {env: NAME}"}},
		"two places":        {"platform: {kind: remote, url: x, token: {env: X, file: y}}\n", []string{"platform.token: wants one of env and file"}},
		"a typing error":    {"platform: {kind: remote, url: x, token: {env: X}, hint_secret: {env: Y}}\n", []string{"did you mean hints_secret?"}},
		"of another kind":   {goalert[:len(goalert)-2] + ", tenant: a}\n", []string{"platform.tenant: is not known here"}},
		"an unknown role":   {goalert + "accounts: [{email: a@example.com, role: root}]\n", []string{`accounts[0].role: "root" is not one of admin, responder, viewer`}},
		"an address twice":  {goalert + "accounts:\n  - {email: a@example.com}\n  - {email: A@example.com}\n", []string{`f.yaml:4:13: accounts[1].email: "A@example.com" has an account in line 3`}},
		"no such user":      {embedded + "accounts: [{email: a@example.com, user: alise}]\n", []string{`accounts[0].user: there is no user "alise"; did you mean alice?`}},
		"no e-mail address": {goalert + "accounts: [{email: alice}]\n", []string{"accounts[0].email: "}},
	} {
		f, problems := Parse("f.yaml", []byte(c.text))
		for _, say := range c.says {
			if f != nil || !strings.Contains(Text(problems), say) {
				t.Errorf("%s: want %q, got:\n%s", name, say, Text(problems))
			}
		}
		if strings.Contains(Text(problems), "canary") {
			t.Errorf("%s: the secret is shown: %s", name, Text(problems))
		}
	}
}
