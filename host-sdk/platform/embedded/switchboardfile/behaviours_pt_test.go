package switchboardfile

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// These tests hold one behaviour each against its number; see docs/behaviours.md.

func routeIDs(t *testing.T, router string) (receivers, defaults []string) {
	t.Helper()
	v, err := parseRouters(t).Route(router, []byte(`{"call":{"country":"US"}}`), time.Unix(0, 0))
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
	got, _ := routeIDs(t, "red")
	if !cmp.Equal(got, []string{"two", "one"}) {
		t.Errorf("receivers %v, want two, one", got)
	}
}

func TestPT19_ARouterThatIsSwitchedOffMeansItsDefaultReceiver(t *testing.T) {
	t.Parallel()
	receivers, defaults := routeIDs(t, "off")
	if len(receivers) != 0 || !cmp.Equal(defaults, []string{"one"}) {
		t.Errorf("receivers %v, defaults %v: want none, and one", receivers, defaults)
	}
}

func TestPT21_RoutersAmongTheReceiversAreFollowedOnce(t *testing.T) {
	t.Parallel()
	got, _ := routeIDs(t, "blue")
	if !cmp.Equal(got, []string{"two", "one", "three"}) {
		t.Errorf("receivers %v, want two and one (of red), three", got)
	}
}
