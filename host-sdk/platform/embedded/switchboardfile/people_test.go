package switchboardfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// people is a file with a user whose phones are given, and a team.
func people(phones, name string) []byte {
	return []byte("users:\n  - {id: alice, name: Alice Example, phones: [" + phones + "]}\nteams:\n  - id: devops\n    name: " + name +
		"\n    schedule:\n      timezone: UTC\n      layers: [{users: [alice]}]\n")
}

func TestAPhoneMayBeWrittenInAnySpelling(t *testing.T) {
	t.Parallel()
	f, problems := Parse("test.yaml", people(`"+1 (202) 555-0143", "tel:+12025550144", "+44 (0)20 7946 0123", "+4402079460124"`, "DevOps"))
	if f == nil || len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	want := []string{"+12025550143", "+12025550144", "+442079460123", "+442079460124"}
	if diff := cmp.Diff(want, f.User("alice").Contract().Phones); diff != "" {
		t.Error(diff)
	}
}

func TestANumberThatCannotBeDialedIsRefusedWithItsPlaceAndTheRemedy(t *testing.T) {
	t.Parallel()
	for written, say := range map[string]string{
		`"+1202555014"`:         `test.yaml:2:47: users[0].phones[0]: "+1202555014" is too short for the country code +1`,
		`"202 555 0143"`:        "has no country code: write it as +12025550143",
		`"+12025550143;ext=12"`: "leave it out",
		`"alice"`:               "is not a telephone number",
	} {
		f, problems := Parse("test.yaml", people(written, "DevOps"))
		if f != nil || !strings.Contains(Text(problems), say) {
			t.Errorf("%s: %s; want %q", written, Text(problems), say)
		}
	}
}

func TestADoubtfulNumberAndOneListedTwiceAreWarnings(t *testing.T) {
	t.Parallel()
	f, problems := Parse("test.yaml", people(`"+12025550143", "+1 202 555 0143", "+11005550143"`, "DevOps"))
	if f == nil || len(problems) != 2 {
		t.Fatalf("problems: %v", problems)
	}
	for i, say := range []string{"+12025550143 is listed twice", "+11005550143 is in no range"} {
		if !problems[i].Warning || !strings.Contains(problems[i].Message, say) {
			t.Errorf("problem %d: %v; want a warning %q", i, problems[i], say)
		}
	}
}

func TestATeamNameWithALineBreakIsOneLine(t *testing.T) {
	t.Parallel()
	f := mustParse(t, string(people(`"+12025550143"`, "|\n      Dev\n      Ops\n")))
	if got := f.Team("devops").Destination().Name; got != "Dev Ops" {
		t.Errorf("name is %q", got)
	}
	f = mustParse(t, string(people(`"+12025550143"`, `"Dev\u202EOps\u200B"`)))
	if got := f.Team("devops").Destination().Name; got != "DevOps" {
		t.Errorf("name is %q", got)
	}
}

func TestANameOfWhichNothingCanBeSeenIsRefused(t *testing.T) {
	t.Parallel()
	f, problems := Parse("test.yaml", people(`"+12025550143"`, `"\u200B\u202E"`))
	if f != nil || !strings.Contains(Text(problems), "teams[0].name: has no character that can be seen") {
		t.Errorf("problems: %s", Text(problems))
	}
}
