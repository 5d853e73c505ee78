package integrationtests

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

var updateNights = flag.Bool("update-nights", false, "write what was told into the stories of testdata/nights; then read them")

// areas are area codes, one for each night: the last seven digits of a person's number are the same
// in all of them. Source: the North American Numbering Plan; 555-01xx is for fiction.
var areas = strings.Fields(`201 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252 253
	254 256 260 262 267 269 270 272 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 321 323 325 330 331
	334 336 337 339 347 351 352 360 361 385 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 419 423 424 425 430 432 434 435`)

// TestNights plays the stories of testdata/nights, several at a time. Those that leave Twilio and
// the programs in peace share one switchboard, each with people, numbers and an integration of its
// own.
func TestNights(t *testing.T) {
	t.Parallel()
	var together, all = map[string]*night{}, map[string]*night{}
	nights := readNights(t)
	if len(nights) > len(areas) {
		t.Fatalf("%d nights, but %d area codes: add some", len(nights), len(areas))
	}
	for i, n := range nights {
		all[areas[i]] = n
		if !n.alone {
			together[areas[i]] = n
		}
	}
	file := filepath.Join(t.TempDir(), "nights.yaml")
	writeNights(t, file, together)
	shared := start(t, nil, quietFor(file))
	shared.brief = true
	for area, n := range all {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			p := &nightPlay{night: n, area: area, hotline: shared, calls: map[string]*twiliosim.Call{}, inbound: map[string]*twiliosim.Call{}}
			if n.alone {
				p.file = filepath.Join(t.TempDir(), "night.yaml")
				writeNights(t, p.file, map[string]*night{area: n})
				p.hotline = start(t, nil, quietFor(p.file))
				p.brief = true
				// Requests that a killed program did not answer, and files that are lost.
				p.Sim.Allow(11200, 11205, 11206)
			} else {
				p.hotline = &hotline{Stack: shared.Stack, t: t, log: shared.log}
			}
			p.play()
		})
	}
}

// TestStoriesOfNightsReadWell holds the sentences that people read at night to what one can take in
// at a glance: nothing is explained within an explanation, and no word is said twice in a row.
func TestStoriesOfNightsReadWell(t *testing.T) {
	t.Parallel()
	for _, n := range readNights(t) {
		for who, story := range n.stories {
			for _, line := range story.log {
				for _, sentence := range strings.Split(line, ". ") {
					if strings.Count(sentence, ": ") > 1 {
						t.Errorf("%s, %s: two colons: %s", n.name, who, sentence)
					}
				}
				words := strings.Fields(strings.ToLower(line))
				for i := range words {
					if i > 0 && words[i] == words[i-1] {
						t.Errorf("%s, %s: %q is said twice: %s", n.name, who, words[i], line)
					}
				}
				if _, reason, ok := strings.Cut(line, " (The "); ok {
					t.Errorf("%s, %s: a sentence within one: The %s", n.name, who, reason)
				}
			}
		}
	}
}

// quietFor is a change for start: a switchboard file, and no integration yet.
func quietFor(file string) func(*demo.Config) {
	return func(c *demo.Config) { c.File, c.NoSetUp, c.Sim.CallsPerSecond = file, true, -1 }
}

// nightPlay is one night while it is played.
type nightPlay struct {
	*hotline
	night *night
	area  string
	file  string // of a switchboard of its own
	id    string // of the integration

	calls   map[string]*twiliosim.Call // by who holds the telephone
	inbound map[string]*twiliosim.Call // by caller
}

func (p *nightPlay) number(last string) string { return "+1" + p.area + "555" + last }

func (p *nightPlay) user(person string) string { return person + "." + p.area }

// play does what the lines say, and compares what the alerts tell.
func (p *nightPlay) play() {
	p.t.Helper()
	var teams []string
	for _, team := range p.night.teams {
		teams = append(teams, teamID(team.name, p.area))
	}
	var err error
	if p.id, _, err = p.AddHotline(p.t.Context(), p.number("0100"), teams, p.night.options); err != nil {
		p.t.Fatal(err)
	}
	defer func() {
		if p.t.Failed() {
			p.transcripts()
		}
	}()
	for _, line := range p.night.lines {
		if line.standing {
			p.behave(line.who, line.script)
			continue
		}
		for _, step := range splitSteps(line.script) {
			p.step(line.who, step)
		}
	}
	for _, who := range p.night.callers {
		p.compare(who, p.night.stories[who])
	}
	p.quiet()
}

// behave sets what the phones of a person do whenever they ring.
func (p *nightPlay) behave(who, script string) {
	p.t.Helper()
	for _, last := range p.night.phonesOf(who) {
		phone := p.Sim.Phone(p.number(last))
		switch script {
		case "unreachable":
			phone.Unreachable()
		case "mailbox":
			phone.Mailbox(2*time.Second, "Please leave a message.")
		default:
			if err := phone.Follows(script); err != nil {
				p.t.Fatalf("%s's phone: %v", who, err)
			}
		}
	}
}

// step is one thing that somebody does, or that happens to a program.
func (p *nightPlay) step(who, step string) {
	p.t.Helper()
	verb, rest, _ := strings.Cut(step, " ")
	switch who {
	case "twilio":
		p.twilio(verb, rest)
		return
	case "plugin":
		p.kill(map[string]syscall.Signal{"killed": syscall.SIGKILL, "frozen": syscall.SIGSTOP}[verb])
		return
	case "host":
		p.host(verb)
		return
	case "shift":
		p.shift(strings.Fields(rest))
		return
	case "integration":
		if err := p.API(p.t.Context(), "DELETE", "/api/v1/integrations/"+p.id, nil, nil); err != nil {
			p.t.Fatal(err)
		}
		return
	case "finding":
		p.eventually("the finding "+verb, func() bool { return slices.Contains(p.findings(), verb) })
		return
	}
	if last, ok := callers[who]; ok {
		p.callerDoes(who, last, verb, rest, step)
		return
	}
	p.personDoes(who, verb, rest, step)
}

// callerDoes is a step of a caller.
func (p *nightPlay) callerDoes(who, last, verb, rest, step string) {
	p.t.Helper()
	switch verb {
	case "calls":
		from := p.number(last)
		if word, found := strings.CutPrefix(rest, "from "); found {
			from = word
			if len(word) == len(last) {
				from = p.number(word)
			}
		}
		c, err := p.Sim.Call(from, p.number("0100"))
		if err != nil {
			p.t.Fatal(err)
		}
		p.calls[who], p.inbound[who] = c, c
	case "told":
		words := strings.Trim(rest, "'")
		p.alertOf(who, "that tells "+words, func(a alert) bool { return a.logged(words) > 0 })
	case "alert":
		p.alertOf(who, rest, func(a alert) bool { return a.Status == rest })
	default:
		p.acts(who, step)
	}
}

// personDoes is a step of somebody on call.
func (p *nightPlay) personDoes(who, verb, rest, step string) {
	p.t.Helper()
	switch verb {
	case "rings":
		last := rest
		if last == "" {
			last = p.night.phonesOf(who)[0]
		}
		p.calls[who] = p.Sim.Phone(p.number(last)).RingsNext(p.t)
	case "rang":
		got := 0
		for _, last := range p.night.phonesOf(who) {
			got += p.rang(p.number(last))
		}
		if fmt.Sprint(got) != rest {
			p.t.Errorf("the phones of %s rang %d times so far, want %s", who, got, rest)
		}
	case "acknowledges", "declines", "resolves", "escalates":
		if rest == "" {
			rest = "caller"
		}
		a := p.alertOf(rest, "routed", func(a alert) bool { return a.Status != "queued" })
		action := map[string]string{"acknowledges": "acknowledge", "declines": "reject", "resolves": "resolve", "escalates": "escalate"}[verb]
		if err := p.act(a.ID, action, p.user(who)); err != nil {
			p.t.Fatal(err)
		}
	default:
		p.acts(who, step)
	}
}

// acts has somebody at a telephone do a step of the scripts' language.
func (p *nightPlay) acts(who, step string) {
	p.t.Helper()
	c := p.calls[who]
	if c == nil {
		p.t.Fatalf("%s: %q: is not on the telephone", who, step)
	}
	if person, found := strings.CutPrefix(step, "connected "); found {
		p.connected(c, who, person)
		return
	}
	c.Acts(p.t, step)
}

// connected waits until a caller talks with a person, whichever phone it is.
func (p *nightPlay) connected(c *twiliosim.Call, who, person string) {
	p.t.Helper()
	other := c.ConnectedTo(p.t, "")
	for _, last := range p.night.phonesOf(person) {
		if other.To == p.number(last) {
			p.calls[person] = other
			return
		}
	}
	p.t.Fatalf("%s is connected to %s, want %s", who, other.To, person)
}

// twilio disturbs the simulated Twilio.
func (p *nightPlay) twilio(verb, rest string) {
	p.t.Helper()
	rest, person, _ := strings.Cut(rest, " for ")
	switch verb {
	case "heals":
		p.Sim.ClearFaults()
	case "fails":
		status, code, _ := strings.Cut(rest, "/")
		f := twiliosim.Fault{On: twiliosim.OnREST, Match: `^POST .*/Calls\.json`, Do: twiliosim.FaultStatus, Count: -1}
		f.Status, _ = strconv.Atoi(status)
		f.Code, _ = strconv.Atoi(code)
		if person == "" {
			p.disturb(f)
			return
		}
		for _, last := range p.night.phonesOf(person) {
			f.To = p.number(last)
			p.disturb(f)
		}
	case "loses":
		if rest == "files" {
			p.disturb(twiliosim.Fault{On: twiliosim.OnMedia, Match: "files.example.com", Do: twiliosim.FaultLose, Count: -1})
			return
		}
		match := map[string]string{"recording": "/recording", "ended": "/ended"}[rest]
		for _, on := range []string{twiliosim.OnWebhook, twiliosim.OnCallback} {
			p.disturb(twiliosim.Fault{On: on, Match: match, Do: twiliosim.FaultLose, Count: -1})
		}
	case "dials": // and its answer is lost: nobody knows whether it did
		p.disturb(twiliosim.Fault{On: twiliosim.OnREST, Match: `^POST .*/Calls\.json`, Do: twiliosim.FaultLoseAnswer})
	default:
		p.t.Fatalf("twilio: %q: want fails, loses, dials or heals", verb)
	}
}

// host ends switchboard as a crash would, or starts it again.
func (p *nightPlay) host(verb string) {
	p.t.Helper()
	if verb == "killed" {
		if err := p.KillSwitchboard(); err != nil {
			p.t.Fatal(err)
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.StartSwitchboard(ctx); err != nil {
		p.t.Fatal(err)
	}
}

// shift puts other people on call for a layer, from now on: "1 bob" or "1" for nobody.
func (p *nightPlay) shift(words []string) {
	p.t.Helper()
	n, err := strconv.Atoi(words[0])
	if err != nil {
		p.t.Fatalf("shift: %q: want a layer's number", words[0])
	}
	team := &p.night.teams[0]
	team.layers[n-1].people = words[1:]
	writeNights(p.t, p.file, map[string]*night{p.area: p.night})
	var want []string
	for _, person := range words[1:] {
		want = append(want, p.user(person))
	}
	p.eventually("the new shift", func() bool {
		var entries []struct {
			Layer int
			User  struct{ ID string }
		}
		p.get("/api/v1/teams/"+teamID(team.name, p.area)+"/oncall", &entries)
		var got []string
		for _, e := range entries {
			if e.Layer == n && e.User.ID != "" {
				got = append(got, e.User.ID)
			}
		}
		return slices.Equal(got, want)
	})
}

// findings are the codes of the findings of this night's integration.
func (p *nightPlay) findings() []string {
	p.t.Helper()
	var in struct{ Findings []struct{ Code string } }
	p.get("/api/v1/integrations/"+p.id, &in)
	var codes []string
	for _, f := range in.Findings {
		codes = append(codes, f.Code)
	}
	return codes
}

// alertOf waits until a caller's alert is as wanted.
func (p *nightPlay) alertOf(who, what string, good func(alert) bool) alert {
	p.t.Helper()
	c := p.inbound[who]
	if c == nil {
		p.t.Fatalf("%s has not called", who)
	}
	var last alert
	p.eventually("the alert of "+who+": "+what, func() bool {
		var list []alert
		p.get("/api/v1/alerts?limit=500&integration="+p.id, &list)
		for _, a := range list {
			if a.Key == c.Sid {
				last = a
				return good(a)
			}
		}
		return false
	}, func() string { return last.Status + "\n" + last.story() })
	return last
}

// slowPlatform is a line of any night on a machine that is too busy to tell the call of its alert
// within ten seconds of the nights' clock. The night goes on as it should.
const slowPlatform = "The platform has told nothing of the alert yet; the people on call are rung."

// compare waits until a caller's call has ended and the alert tells what it must.
func (p *nightPlay) compare(who string, want *nightStory) {
	p.t.Helper()
	c := p.inbound[who]
	k := p.call(c, "ended", func(k call) bool { return k.State == "ended" })
	var got nightStory
	// For how long an alert's log must have stayed as it is to be taken for complete.
	limit, since := patience, time.Now()
	if *updateNights {
		limit = 5 * time.Second
	}
	for {
		a := p.alertOf(who, "there", func(alert) bool { return true })
		now := nightStory{ended: k.Ended, status: a.Status}
		for _, l := range a.Log {
			if l.Message != slowPlatform {
				now.log = append(now.log, plain(l.Message, p.area))
			}
		}
		if !slices.Equal(now.log, got.log) || now.status != got.status {
			got, since = now, time.Now()
		}
		if got.ended == want.ended && got.status == want.status && sameStory(want.log, got.log) {
			return
		}
		if time.Since(since) > limit {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if *updateNights {
		p.write(who, got)
		return
	}
	p.t.Errorf("%s's story: %s, %s; want %s, %s (-want +got):\n%s", who, got.ended, got.status, want.ended, want.status, cmp.Diff(want.log, got.log))
}

// write puts a story into the night's file.
func (p *nightPlay) write(who string, got nightStory) {
	p.t.Helper()
	text, err := os.ReadFile(p.night.path)
	if err != nil {
		p.t.Fatal(err)
	}
	before, after, _ := strings.Cut(string(text), who+"'s story:")
	rest := ""
	if i := strings.Index(after, "'s story:"); i >= 0 {
		rest = "\n" + after[strings.LastIndex(after[:i], "\n")+1:]
	}
	text = []byte(before + who + "'s story: " + got.ended + ", " + got.status + "\n" + strings.Join(got.log, "\n") + "\n" + rest)
	if err := os.WriteFile(p.night.path, text, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// quiet waits until Twilio has no live leg and no queue of this night.
func (p *nightPlay) quiet() {
	p.t.Helper()
	final := []string{"completed", "busy", "failed", "no-answer", "canceled"}
	p.eventually("no live call, no queue left at Twilio", func() bool {
		for _, c := range p.mine() {
			if !slices.Contains(final, c.Status()) {
				return false
			}
		}
		for _, name := range p.queues() {
			if strings.Contains(name, p.id) {
				return false
			}
		}
		return true
	})
}

// mine are the calls of this night.
func (p *nightPlay) mine() []*twiliosim.Call {
	var out []*twiliosim.Call
	for _, c := range p.Sim.Calls() {
		if strings.HasPrefix(c.To, "+1"+p.area) {
			out = append(out, c)
		}
	}
	return out
}

// transcripts logs what happened on the telephones of this night.
func (p *nightPlay) transcripts() {
	for _, c := range p.mine() {
		p.t.Logf("%s, from %s to %s:\n%s", c.Sid, c.From, c.To, twiliosim.FormatTranscript(c.Transcript()))
	}
}
