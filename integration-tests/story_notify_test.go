package integrationtests

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/browser"
	"github.com/livecallrouting/livecall/integration-tests/demo"
)

// grantsNotifications is a browser whose person allows notifications when a page asks. It keeps
// those that were shown, and every change of an alert that the page heard of.
const grantsNotifications = `(() => {
	globalThis.shown = [];
	globalThis.changes = [];
	document.addEventListener("alert-changed", (e) => changes.push(e.detail));
	globalThis.Notification = class extends EventTarget {
		static permission = "default";
		static async requestPermission() { return Notification.permission = "granted"; }
		constructor(title, options) { super(); shown.push(title + ": " + options.body); }
		close() {}
	};
})()`

// TestStoryOfANotification: who asks for it is notified once of each alert that pages them, and of
// no other; the tab's title counts all alerts that nobody has taken.
func TestStoryOfANotification(t *testing.T) {
	t.Parallel()
	s := &story{time: leaderFrom(time.Now(), 1), desk: browser.Open(t), own: looks{deskWidth, deskHeight, "light"}}
	s.hotline = start(t, nil, func(c *demo.Config) { c.File, c.Clock = "testdata/story.yaml", s.time.Followers() })
	p := s.desk
	s.logIn("/alerts", "alice")
	p.WaitText("main", "All quiet")
	p.Wait(`document.title === "Alerts · Switchboard"`)
	p.Eval(grantsNotifications, nil)
	p.ClickText("#notify-switch", "Notify me in this browser")
	p.WaitText("#notify-switch", "Do not notify me in this browser")

	s.onHold()
	p.Wait(`document.title === "(1) Alerts · Switchboard"`)
	p.Wait(`shown.length === 1`)
	a := s.alert("open", func(a alert) bool { return a.Status == "open" })
	var shown string
	if p.Eval(`shown[0]`, &shown); shown != a.Title+": DevOps" {
		t.Errorf("the notification is %q, want that of %q", shown, a.Title)
	}
	// The same alert changes again, in the same layer.
	p.Eval(`document.dispatchEvent(new CustomEvent("alert-changed", {detail: changes.findLast(c => JSON.parse(c).status === "open")}))`, nil)

	// The second caller's alert pages Dave or Carol.
	other := s.dialFrom("+12025550198")
	other.Hears(t, "Press 1 for Customer Support")
	other.Presses("1")
	p.Wait(`document.title === "(2) Alerts · Switchboard"`)
	p.Wait(`changes.map(c => JSON.parse(c)).some(c => c.status === "open" && !c.paged.includes("alice"))`)
	s.acknowledge(a.ID, "alice")
	p.Wait(`document.title === "(1) Alerts · Switchboard"`)
	var all []string
	if p.Eval(`shown`, &all); len(all) != 1 {
		t.Errorf("Alice was notified of %q, want of the alert that pages her alone, once", all)
	}
	p.ClickText("#notify-switch", "Do not notify me in this browser")
	p.WaitText("#notify-switch", "Notify me in this browser")
	s.quiet(p, "alerts")
}
