package platformtest_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/platformtest"
)

// The suite is tested by a platform that does all right, and by the same one with one defect at a
// time: the suite must pass the first, and fail the others in the test that is about the defect.

func configOf(m *model, within time.Duration, once bool) platformtest.Config {
	scope := platform.Scope{Integration: "int-1"}
	return platformtest.Config{HintWithin: within, OnceOnly: once, New: func(*testing.T) platformtest.Fixture {
		f := platformtest.Fixture{Platform: m, Scope: scope, Team: "devops", OtherTeam: "support", IdleTeam: "idle", Users: [2]string{"alice", "bob"}, Log: m.log(scope)}
		if m.has("declares routers") {
			f.Router = "main"
		}
		return f
	}}
}

func TestARightPlatformPasses(t *testing.T) {
	t.Parallel()
	platformtest.Test(t, configOf(newModel(""), 0, false))
}

const defectVariable = "PLATFORMTEST_DEFECT"

// TestDefective runs the suite on a defective platform; it is run by TestDefectsAreFound, in a
// process of its own.
func TestDefective(t *testing.T) {
	defect := os.Getenv(defectVariable)
	if defect == "" {
		t.SkipNow() // only ever run by TestDefectsAreFound
	}
	platformtest.Test(t, configOf(newModel(defect), time.Second, true))
}

// Each defect is found by the test that is about it, which says so.
func TestDefectsAreFound(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for defect, found := range map[string]struct{ by, says string }{
		"forgets numbers":                {"one old command again", `command 3 \(acknowledge\) came again alone after command 4 and acknowledged anew .*Status was open, is acknowledged`},
		"doubles lines":                  {"log lines", `the log has 6 more lines, want 2`},
		"declares reopen":                {"declared capabilities", `Apply\(reopen\): .*the capability Reopen is declared but not implemented: drop it, or let reopen`},
		"declares routers":               {"declared capabilities", `the capability Routers is declared but not implemented: drop it, or answer`},
		"escalates by name only":         {"declared capabilities", `the capability Escalate is declared but not implemented: drop it, or let escalate`},
		"hides what is not routed":       {"declared capabilities", `the capability UnroutedAlerts is declared but not implemented: drop it, or keep the alert`},
		"names nobody":                   {"declared capabilities", `the capability AcknowledgedByUser is declared but not implemented: drop it, or name the user`},
		"goes on in a batch":             {"commands together", `ApplyAll that failed before resolve changed the alert: Status was open, is resolved`},
		"counts batches short":           {"commands together", `ApplyAll of 7 commands, for the first time: 6 are done`},
		"leaves unknown teams out":       {"teams and destinations", `want one for each`},
		"sorts by case":                  {"teams and destinations", `not sorted by name`},
		"hides phones":                   {"people on call", `on call is`},
		"tells cases of addresses apart": {"people by address", `UserByEmail\("ALICE@EXAMPLE.COM"\) = .*nobody has the address`},
		"writes to people twice":         {"audiences", `twice`},
		"mixes integrations":             {"create", `the same key in another integration`},
		"pages again":                    {"route", `routing to the team it has, in layer 2 changed the alert: Layer was 2, is 1`},
		"waits for nobody":               {"route to a team with nobody on call", `the alert is queued, want dropped`},
		"lets the second win":            {"acknowledge", `a second acknowledgement changed the alert: Acknowledgements was`},
		"believes in anybody":            {"acknowledgement without a person", `want not_found or invalid`},
		"ignores declines":               {"decline", `want layer 2`},
		"uses ids again":                 {"reopen an acknowledgement", `two acknowledgements of one person`},
		"takes back any":                 {"reopen an acknowledgement", `that never was changed the alert`},
		"escalates whatever is named":    {"escalate", `leaving a layer it is not on changed the alert`},
		"acknowledges what is over":      {"resolve", `acknowledging what is resolved changed the alert`},
		"takes any command":              {"commands for what is unknown", `an unknown command`},
		"counts nothing":                 {"snapshots tell the last command", `the snapshot's last command is 0`},
		"hints at nothing":               {"hints", `no hint within`},
		"deletes what is open":           {"delete", `EraseAlert of an open alert: error <nil>`},
		"keeps what it deletes":          {"delete", `Alert after EraseAlert: error <nil>`},
		"forgets longer numbers":         {"forget a number", `the log after ForgetText.*not from \(forgotten\)9`},
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(self, "-test.run=^TestDefective$/^"+strings.ReplaceAll(found.by, " ", "_")+"$", "-test.v")
			cmd.Env = append(os.Environ(), defectVariable+"="+defect)
			out, _ := cmd.CombinedOutput() // it fails, which is looked for below
			text := string(out)
			if !strings.Contains(text, "--- FAIL: TestDefective/"+strings.ReplaceAll(found.by, " ", "_")+" ") {
				t.Errorf("the test %q passes:\n%s", found.by, text)
			}
			if !regexp.MustCompile(found.says).MatchString(text) {
				t.Errorf("nothing says %q:\n%s", found.says, text)
			}
			if !strings.Contains(text, "the platform finds: this model has the defect "+defect) {
				t.Errorf("what the platform finds is not shown:\n%s", text)
			}
		})
	}
}
