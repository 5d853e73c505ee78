package embedded

import (
	"testing"
	"time"
)

// These tests hold one behaviour each against its number; see docs/behaviours.md.

func routeIDs(t *testing.T, router string, rules RuleEngine) (receivers, defaults []string) {
	t.Helper()
	v, err := mustParse(t, routerFile).Route(rules, router, nil, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range v.Receivers {
		receivers = append(receivers, d.ID)
	}
	for _, d := range v.Default {
		defaults = append(defaults, d.ID)
	}
	return receivers, defaults
}

func TestPT18_AssignedOnceEachInWrittenOrder(t *testing.T) {
	t.Parallel()
	got, _ := routeIDs(t, "red", fixedRules{"red": {Rule: 1, Receivers: []string{"two", "one", "two"}}})
	if len(got) != 2 || got[0] != "two" || got[1] != "one" {
		t.Errorf("receivers %v, want two, one", got)
	}
}

func TestPT19_ARouterThatIsSwitchedOffMeansItsDefaultReceiver(t *testing.T) {
	t.Parallel()
	receivers, defaults := routeIDs(t, "off", fixedRules{"red": {Rule: 1, Receivers: []string{"two"}}})
	if len(receivers) != 0 || len(defaults) != 1 || defaults[0] != "one" {
		t.Errorf("receivers %v, defaults %v: want none, and one", receivers, defaults)
	}
}

func TestPT21_RoutersAmongTheReceiversAreFollowedOnce(t *testing.T) {
	t.Parallel()
	got, _ := routeIDs(t, "blue", fixedRules{
		"blue": {Rule: 1, Receivers: []string{"red", "blue", "nobody", "one"}}, "red": {Rule: 1, Receivers: []string{"two"}},
	})
	if len(got) != 2 || got[0] != "two" || got[1] != "one" {
		t.Errorf("receivers %v, want two (of red), one", got)
	}
}
