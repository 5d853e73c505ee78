package pages_test

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

func TestSavedFormWarnsOfAPhoneThatIsTheHotlineItself(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	id := b.create()
	s.call(id, "CA1") // to +12025550199
	const say = "Bob Example&#39;s phone +1 202-555-0199 is a number of this hotline"
	page := "/settings/integrations/" + id
	b.get(page).is(200).hasNot(say)
	s.writeFile(strings.ReplaceAll(hosttest.File, "+12025550144", "+12025550199"))
	if err := s.File.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := b.get(page)
	b.post(page, filled(v.hidden("nonce"))).is(200).has(say)
}
