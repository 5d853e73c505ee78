package pages_test

import (
	"net/url"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	chromium "github.com/livecallrouting/livecall/integration-tests/browser"
)

// A recording is deleted while somebody plays it. The page leaves the player alone, which goes on
// with what it has. When it asks for more, it is told that the recording is gone, and the page says
// at once who deleted it.
func TestARecordingDeletedWhileItPlays(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	// After the site, whose server waits at its end until the browser has left.
	p := chromium.Open(t)
	p.IgnoreStatus(410)
	b := s.loggedIn("alice")
	id := b.create()
	// Longer than what a player fetches ahead.
	s.calls(id, url.Values{"Call": {"CA01"}, "From": {"+12025550191"}, "Recorded": {"14m"}})
	s.end(id, "CA01")
	ref := field(b.get("/calls/CA01").is(200), "ref")

	p.Go(s.URL + "/login?next=/calls/CA01")
	p.Type("#token", hosttest.Token)
	p.Press("\r")
	p.WaitText("h1", "Who are you?")
	p.Go(s.URL + "/calls/CA01")
	p.WaitFor("audio")
	p.Eval(`globalThis.player = document.querySelector("audio"); player.muted = true; player.play()`, nil)
	p.Wait(`player.currentTime > 0`)
	b.post("/recordings/"+ref+"/delete", nil).is(200)
	p.WaitText("#call-story", "It was deleted at the telephone service.")
	p.Wait(`player.isConnected && !player.paused && !player.error`)
	// No event follows, and a page that takes itself for hidden does not look again every half
	// minute: the player alone tells it.
	p.Eval(`Object.defineProperty(document, "hidden", { value: true }); player.currentTime = player.duration - 30`, nil)
	p.Wait(`player.error?.code === MediaError.MEDIA_ERR_NETWORK`)
	b.get("/api/v1/media/" + ref).is(410).has("the recording was deleted on")
	p.WaitText("main", "Deleted by")
	p.WaitGone("audio")
	for _, complaint := range p.Problems() {
		t.Error(complaint)
	}
}
