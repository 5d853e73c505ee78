package integrationtests

import (
	"regexp"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/browser"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/internal/testmail"
)

// TestStoryAtNight is what a person meets who is paged by mail at night, on a phone: the link, two
// buttons, the phone that rings, a key, and the caller. It prints how long each step of the product
// took, which is a figure of this machine and no promise.
func TestStoryAtNight(t *testing.T) {
	t.Parallel()
	box := openInbox(t, testmail.Options{})
	s := &story{time: leaderFrom(time.Now(), 1), desk: browser.Open(t), own: looks{handWidth, handHeight, "dark"}}
	s.hotline = start(t, options{"reach": "acknowledge"}, func(c *demo.Config) { c.File, c.Clock = "testdata/story.yaml", s.time.Followers() }, box.use)
	p := s.desk
	p.Look(s.own.width, s.own.height, s.own.scheme)
	last := time.Now()
	step := func(what string) {
		now := time.Now()
		t.Logf("%5.2f s  %s", now.Sub(last).Seconds(), what)
		last = now
	}
	c := s.onHold()
	step("the caller chooses a team and hears music")
	link := s.mailTo(box, "alice@example.com", regexp.MustCompile(`http://[^\s]+/page/[A-Za-z0-9_-]+`))
	step("the mail arrives")
	p.Go(link)
	p.WaitFor("#open-alert")
	step("click 1, the link in the mail: its page is there")
	p.Click("#open-alert")
	p.WaitFor("#act-acknowledge")
	step("click 2, the button of that page: the alert is there")
	p.Click("#act-acknowledge")
	p.WaitText(".notice", "You acknowledged this alert.")
	step("click 3, acknowledge: it is acknowledged")
	leg := s.Sim.Phone(alice).RingsNext(t)
	step("the phone rings")
	leg.Answers()
	leg.Hears(t, "press 1")
	step("answered, and what is said heard out")
	leg.Presses("1")
	c.ConnectedTo(t, alice)
	step("key 1: the two talk")
	c.HangsUp()
	c.Ended(t)
}
