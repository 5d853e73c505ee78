package integrationform

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// A secret that is what is wrong is typed again, the others wait; none is in what may be shown.
func TestTheSecretThatIsWrongIsTypedAgain(t *testing.T) {
	t.Parallel()
	f := &Forms{kept: newKept(clock.NewManual(time.Unix(0, 0)))}
	e := entered{options: []byte(`{"sid":"canary-1","token":"canary-2","list":["canary-3"]}`), typed: []string{"list", "sid", "token"},
		who: keptForm{whose: "a login", nonce: newNonce(), plugin: "p"}}
	e.Nonce, e.Values, e.Problems = e.who.nonce, []byte(`{}`), []integration.Problem{{Path: "token/0"}, {Path: "name"}}
	if err := f.keepSecrets(&e); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"sid"}, e.Kept); diff != "" || string(e.Values) != `{"sid":{"set":true}}` {
		t.Errorf("kept (-want +got):\n%s\nshown: %s", diff, e.Values)
	}
	for _, w := range e.Warnings {
		if again := strings.Contains(w.Message, "Type it again"); again != (w.Path != "sid") {
			t.Errorf("%s: %s", w.Path, w.Message)
		}
	}
	filled, lost := f.kept.fill(e.who, url.Values{keptName: {"sid", "token"}, "option.name": {"x"}})
	if diff := cmp.Diff(url.Values{keptName: {"sid", "token"}, "option.name": {"x"}, "option.sid": {"canary-1"}}, filled); diff != "" || len(lost) != 1 {
		t.Errorf("the next form has (-want +got):\n%s\nand not %q", diff, lost)
	}
}

// However many forms are refused, few secrets are kept: the newest.
func TestFewFormsAreKept(t *testing.T) {
	t.Parallel()
	hands := clock.NewManual(time.Unix(0, 0))
	k := newKept(hands)
	form := func(i int) keptForm { return keptForm{whose: "a login", nonce: fmt.Sprintf("%032d", i)} }
	for i := range maxKept + 5 {
		k.keep(form(i), map[string]string{"sid": "canary"})
		hands.Advance(time.Second)
	}
	for i, want := range map[int]bool{4: false, 5: true, maxKept + 4: true} {
		if _, lost := k.fill(form(i), url.Values{keptName: {"sid"}}); (len(lost) == 0) != want {
			t.Errorf("form %d of %d is kept: %v, want %v", i, maxKept+5, !want, want)
		}
	}
	hands.Advance(keepTime)
	k.keep(form(0), map[string]string{"sid": "canary"})
	k.keep(keptForm{nonce: newNonce()}, map[string]string{"sid": "canary"})
	k.keep(keptForm{whose: "a login"}, map[string]string{"sid": "canary"})
	if len(k.forms) != 1 {
		t.Errorf("%d forms are kept when their time is over, for nobody and without a number, want the one that is not", len(k.forms)-1)
	}
}
