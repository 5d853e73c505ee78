package integrationtests

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/integration-tests/browser"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/renderers"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// story is a hotline without an integration, and a browser with a tab for switchboard and one for
// the softphone.
type story struct {
	*hotline
	time     *clock.Leader
	axe      string
	desk     *browser.Page // switchboard
	phones   *browser.Page // the softphone, another tab
	own      looks         // of the person's screen
	looks    []looks       // under which every page is judged
	examined int           // pages times looks
}

// looks is the size of a window and the colour scheme in which a page is drawn.
type looks struct {
	width, height int
	scheme        string
}

func (l looks) String() string { return fmt.Sprintf("%s-%d", l.scheme, l.width) }

// elsewhere is what answers the number before it is connected.
const elsewhere = "https://elsewhere.example.com/voice"

const (
	deskWidth, deskHeight = 1280, 800
	handWidth, handHeight = 375, 740
)

// newStory starts everything in real time, or slower in a crowd; prompts are spoken quickly.
func newStory(t *testing.T, own looks, judged ...looks) *story {
	t.Helper()
	s := &story{time: leaderFrom(time.Now(), 1), axe: renderers.Axe(t), desk: browser.Open(t), own: own, looks: append([]looks{own}, judged...)}
	s.phones = s.desk.NewTab()
	s.hotline = start(t, nil, func(c *demo.Config) {
		c.File, c.NoSetUp, c.Clock = "testdata/story.yaml", true, s.time.Followers()
		c.Sim.SpeechPerCharacter = 15 * time.Millisecond
		c.Sim.Numbers = []twiliosim.Number{{PhoneNumber: demo.Number, FriendlyName: "Hotline", VoiceURL: elsewhere}}
	})
	for _, p := range []*browser.Page{s.desk, s.phones} {
		p.Look(s.own.width, s.own.height, s.own.scheme)
	}
	t.Cleanup(func() {
		t.Logf("%d looks at pages were judged", s.examined)
		if t.Failed() {
			for _, a := range s.hotline.alerts() {
				t.Logf("alert %s, %s:\n%s", a.ID, a.Status, a.story())
			}
		}
	})
	return s
}

// judge checks the page in its present state, in every look of the story: no complaint in the
// console, nothing blocked, no accessibility rule violated, nothing wider than the window. A person
// would look for less long: time stands still meanwhile, so that nobody in a call gives up.
func (s *story) judge(p *browser.Page, name string) {
	s.t.Helper()
	defer pacer.Hold(s.time)()
	p.Eval(s.axe+"\n;undefined", nil)
	s.look(p, name, func(l looks) {
		for _, v := range p.Accessibility("") {
			s.t.Errorf("%s, %s: %s", name, l, v)
		}
	})
}

// fits is judge without the accessibility rules, which take a while on a long page.
func (s *story) fits(p *browser.Page, name string) {
	s.t.Helper()
	defer pacer.Hold(s.time)()
	s.look(p, name, func(looks) {})
}

// look draws the page in every look of the story, has each examined, and checks that nothing is
// wider than the window.
func (s *story) look(p *browser.Page, name string, examine func(looks)) {
	s.t.Helper()
	for _, l := range s.looks {
		p.Look(l.width, l.height, l.scheme)
		p.Eval(drawn, nil)
		examine(l)
		var over []string
		p.Eval(`(() => {
			const width = document.documentElement.clientWidth;
			if (document.documentElement.scrollWidth <= width) return [];
			return [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > width + 1)
				.slice(0, 5).map(e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "." + e.className) + " to " + Math.round(e.getBoundingClientRect().right));
		})()`, &over)
		if len(over) > 0 {
			s.t.Errorf("%s, %s: wider than the window: %s", name, l, strings.Join(over, ", "))
		}
		s.squeezed(p, name, l)
		if artifacts() {
			s.write(filepath.Join(s.t.ArtifactDir(), fmt.Sprintf("%s-%s.png", name, l)), p.Screenshot())
		}
		s.examined++
	}
	p.Look(s.own.width, s.own.height, s.own.scheme)
	s.quiet(p, name)
}

// drawn waits for the final colours, which may change gradually.
const drawn = "Promise.allSettled(document.getAnimations().filter(a => a.effect.getTiming().iterations !== Infinity).map(a => a.finished)).then(() => {})"

// squeezed checks that nothing sticks out of its card, is so narrow that its letters stand one
// below the other, is a number in two lines or without its groups, or reads from right to left for
// a name that does.
func (s *story) squeezed(p *browser.Page, name string, l looks) {
	s.t.Helper()
	var found []string
	p.Eval(`(() => {
		const seen = selector => [...document.querySelectorAll(selector)].filter(e => e.checkVisibility());
		const box = e => e.getBoundingClientRect();
		const named = (what, list) => list.map(e => what + ": " + e.tagName.toLowerCase() + (e.id ? "#" + e.id : "." + e.className) + " " + e.innerText.slice(0, 40));
		return [
			...named("out of its card", seen(".card :is(input, select, textarea, .button, .badge):not(.hidden)").filter(e => box(e).right > box(e.closest(".card")).right)),
			...named("letters one below the other", seen(".button, .badge").filter(e => e.innerText.trim().length > 3 && box(e).height > 2 * box(e).width)),
			...named("a number as machines write it", seen("#alert-story, #call-story, .row, .notice").filter(e => /\+\d{7}/.test(e.innerText))),
			...named("in two lines", seen(".number").filter(e => e.getClientRects().length > 1)),
			...named("turned by a name in it", seen("main :is([dir], bdi)").filter(e => getComputedStyle(e).direction === "rtl" && /\b(to|from|by|until|layer)\b/.test(e.innerText))),
		].slice(0, 5);
	})()`, &found)
	if len(found) > 0 {
		s.t.Errorf("%s, %s: %s", name, l, strings.Join(found, ", "))
	}
}

// keyboard walks through the page with the tab key, as somebody without a mouse does, in the first
// and the last look: the first stop skips to the content, each stop is seen to have the focus,
// nothing lies over it, and nothing that can be used is left out.
func (s *story) keyboard(p *browser.Page, name string) {
	s.t.Helper()
	defer pacer.Hold(s.time)()
	for _, l := range []looks{s.looks[0], s.looks[len(s.looks)-1]} {
		p.Look(l.width, l.height, l.scheme)
		p.Eval(`window.stops = new Set(); document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex")`, nil)
		p.Press("\t")
		var first string
		if p.Eval(`document.activeElement.innerText`, &first); first != "Skip to content" {
			s.t.Errorf("%s, %s: the first stop is %q, want the link to the content", name, l, first)
		}
		for range 500 { // more than any page has
			var stop struct {
				End   bool
				Wrong string
			}
			p.Eval(focused, &stop)
			if stop.End {
				break
			}
			if stop.Wrong != "" {
				s.t.Errorf("%s, %s: %s", name, l, stop.Wrong)
			}
			p.Press("\t")
		}
		var missed []string
		p.Eval(missedStops, &missed)
		if len(missed) > 0 {
			s.t.Errorf("%s, %s: not reached with the tab key: %s", name, l, strings.Join(missed, ", "))
		}
	}
	p.Look(s.own.width, s.own.height, s.own.scheme)
}

// focused judges what has the focus: its outline, or its row's, and what is seen in its middle. It
// ends where the focus leaves the page or begins anew.
const focused = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))).then(() => {
	const e = document.activeElement, last = window.last === e;
	if (e === document.body || (window.stops.has(e) && !last)) return {end: true};
	window.stops.add(e);
	window.last = e;
	const called = e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + " " + (e.ariaLabel || e.innerText || "").trim().slice(0, 30);
	const outlined = x => x && getComputedStyle(x).outlineStyle !== "none" && parseFloat(getComputedStyle(x).outlineWidth) >= 2;
	// A date has several stops, of which the browser marks the later ones itself.
	if (!last && !outlined(e) && !outlined(e.closest(".row"))) return {wrong: "nothing shows the focus of " + called};
	const box = e.getClientRects()[0] || e.getBoundingClientRect();
	const y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1), at = document.elementFromPoint(box.left + box.width / 2, y);
	if (box.bottom <= 0 || box.top >= innerHeight) return {wrong: "out of sight: " + called};
	if (!at || !(e.contains(at) || at.closest("label")?.control === e)) return {wrong: called + " lies below " + (at ? at.tagName.toLowerCase() + "." + at.className : "nothing")};
	return {};
})`

// missedStops are what can be used and was no stop. Of radio buttons one stands for its group.
const missedStops = `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, audio[controls]")]
	.filter(e => e.checkVisibility() && !e.disabled && e.tabIndex >= 0 && !window.stops.has(e) && e.type !== "radio")
	.map(e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + " " + e.innerText.trim().slice(0, 30)).slice(0, 5)`

// artifacts reports whether -artifacts asks for a picture of every page.
func artifacts() bool { return flag.Lookup("test.artifacts").Value.String() == "true" }

// quiet checks that the page has not complained.
func (s *story) quiet(p *browser.Page, name string) {
	s.t.Helper()
	for _, problem := range p.Problems() {
		s.t.Errorf("%s: %s", name, problem)
	}
}

// picture renews an image of the documentation where LIVECALL_SCREENSHOTS names their folder,
// relative to the repository. It shows what the window does.
func (s *story) picture(p *browser.Page, name string) {
	s.t.Helper()
	dir := os.Getenv("LIVECALL_SCREENSHOTS")
	if dir == "" {
		return
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", dir)
	}
	p.Eval("document.activeElement.blur(); scrollTo({top: 0, behavior: 'instant'})", nil)
	p.Eval(drawn, nil)
	p.Eval(agesOfTheHost, nil)
	whole, err := png.Decode(bytes.NewReader(p.Screenshot()))
	if err != nil {
		s.t.Fatal(err)
	}
	// The 256 most frequent colours, so that the file stays small.
	count := map[color.RGBA]int{}
	window := whole.Bounds().Intersect(image.Rect(0, 0, s.own.width, s.own.height))
	for y := window.Min.Y; y < window.Max.Y; y++ {
		for x := window.Min.X; x < window.Max.X; x++ {
			r, g, b, _ := whole.At(x, y).RGBA()
			count[color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}]++
		}
	}
	most := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(count[b]-count[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	var colours color.Palette
	for _, c := range most[:min(len(most), 256)] {
		colours = append(colours, c)
	}
	few := image.NewPaletted(window, colours)
	draw.Draw(few, window, whole, window.Min, draw.Src)
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, few); err != nil {
		s.t.Fatal(err)
	}
	s.write(filepath.Join(dir, name), small.Bytes())
	if small.Len() > 120<<10 {
		s.t.Errorf("%s has %d bytes: choose a smaller window", name, small.Len())
	}
}

// agesOfTheHost shows how long ago things were by the clock of the story, which stands while pages
// are judged. The browser's goes on.
const agesOfTheHost = `fetch(location.href).then(r => r.text()).then(text => {
	const ages = page => [...page.querySelectorAll("time[data-time=age]")], said = ages(new DOMParser().parseFromString(text, "text/html"));
	ages(document).forEach((e, i) => { if (said[i]) e.textContent = said[i].textContent; });
})`

func (s *story) write(path string, data []byte) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// weigh logs the size of the page and its resources, and the times until it was painted and loaded.
func (s *story) weigh(p *browser.Page, name string) {
	s.t.Helper()
	var got struct {
		Document, Gzip, Others, Requests int
		Paint, Loaded                    float64
	}
	p.Eval(`(() => {
		const doc = performance.getEntriesByType("navigation")[0];
		const rest = performance.getEntriesByType("resource").filter(r => /link|script|img|css/.test(r.initiatorType));
		const paint = performance.getEntriesByType("paint").find(e => e.name === "first-contentful-paint");
		return {Document: doc.decodedBodySize, Gzip: doc.encodedBodySize, Others: rest.reduce((n, r) => n + r.decodedBodySize, 0),
			Requests: 1 + rest.length, Paint: paint ? paint.startTime : -1, Loaded: doc.loadEventEnd};
	})()`, &got)
	s.t.Logf("%-12s document %d bytes (%d as sent), %d other bytes, %d requests, first paint %.0f ms, loaded %.0f ms",
		name, got.Document, got.Gzip, got.Others, got.Requests, got.Paint, got.Loaded)
}

// logIn opens a page, logs in on the way and chooses a person.
func (s *story) logIn(next, person string) {
	s.t.Helper()
	s.desk.Go(s.URL + next)
	s.desk.Type("#token", s.Token)
	s.desk.Press("\r")
	s.desk.Click(fmt.Sprintf("input[name=user][value=%s]", person))
	s.desk.Click("#choose")
	s.desk.Wait(fmt.Sprintf("location.pathname === %q", next))
}

// fill types the fields that an integration needs; people are dialed when they acknowledge.
func (s *story) fill(name string) {
	s.t.Helper()
	p := s.desk
	p.Type("#name", name)
	p.Paste("#option-account_sid", twiliosim.DefaultAccountSid)
	s.secrets()
	p.Select("#option-reach", "acknowledge")
}

func (s *story) secrets() {
	s.t.Helper()
	s.desk.Paste("#option-api_key", twiliosim.DefaultAPIKey)
	s.desk.Paste("#option-api_secret", twiliosim.DefaultAPISecret)
	s.desk.Paste("#option-auth_token", twiliosim.DefaultAuthToken)
}

// connect makes an integration by the form and connects the number by its action; both pages are
// left open.
func (s *story) connect() {
	s.t.Helper()
	p := s.desk
	p.Go(s.URL + "/settings/integrations/new?plugin=livecall")
	s.fill("Hotline")
	p.Click(`[name=destination][value="team:devops"]`)
	p.Click(`[name=destination][value="team:support"]`)
	p.Click("#option-voicemail")
	p.Click("#save")
	s.connectNumber()
}

// connectNumber has Twilio send the number's calls to the endpoint that the page shows.
func (s *story) connectNumber() (endpoint string) {
	s.t.Helper()
	p := s.desk
	p.WaitFor("#endpoint-url")
	p.Eval(`document.querySelector("#endpoint-url").value`, &endpoint)
	p.Type("#value-connect-number-number", demo.Number)
	p.Click("#run-connect-number")
	p.WaitText("#action-connect-number .result", phone.Display(demo.Number)+" is connected")
	// After # come settings for Twilio's connection, which are not part of the address.
	if address, _, _ := strings.Cut(s.Sim.Numbers()[0].VoiceURL, "#"); address != endpoint {
		s.t.Errorf("the number is connected to %q, the page shows %q", address, endpoint)
	}
	return endpoint
}

// call dials on the softphone and chooses DevOps when the menu is heard; it leaves the caller on
// hold.
func (s *story) call() {
	s.t.Helper()
	p := s.phones
	p.Click(`#caller [data-testid=call]`)
	p.WaitText("#caller .captions", "Press 2 for DevOps")
	p.Click(`#caller [data-testid=key-2]`)
	p.WaitText("#caller .captions", "♪ music")
	p.WaitText("#caller .state", "On hold")
}

// spoken waits until the utterance that contains the words is over: a hang-up would cut it off.
func (s *story) spoken(words string) {
	s.t.Helper()
	s.eventually("the words were spoken", func() bool {
		for _, e := range s.Sim.Events(0) {
			if e.Kind == twiliosim.EventSpoke && strings.Contains(e.Text, words) {
				return s.Sim.Now().After(e.At.Add(e.Duration))
			}
		}
		return false
	})
}

// longEnough waits until a conversation has lasted 8 s: a caller whose responder leaves at once is
// put on hold again.
func (s *story) longEnough() {
	s.t.Helper()
	s.eventually("a conversation of 8 s", func() bool {
		for _, e := range s.Sim.Events(0) {
			if e.Kind == twiliosim.EventBridged {
				return s.Sim.Now().After(e.At.Add(8 * time.Second))
			}
		}
		return false
	})
}

// hears waits until a telephone's captions show words.
func (s *story) hears(phone, words string) {
	s.t.Helper()
	s.phones.WaitText(phone+" .captions", words)
}

// says types words into a telephone of the softphone.
func (s *story) says(phone, words string) {
	s.t.Helper()
	s.phones.Type(phone+" [data-testid=words]", words)
	s.phones.Press("\r")
}
