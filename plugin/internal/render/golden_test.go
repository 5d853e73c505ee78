package render

import (
	"bytes"
	"encoding/xml"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
	"github.com/livecallrouting/livecall/plugin/internal/twiml/twimltest"
)

var callSID = "CA" + strings.Repeat("0c", 16)

const (
	callerNum = "+12025550143"
	calledNum = "+12025550100"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, data []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".xml")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run with -update if the file is new", err)
	}
	if diff := cmp.Diff(string(want), string(data)); diff != "" {
		t.Errorf("%s (-file +now):\n%s", path, diff)
	}
}

func testRenderer(sources map[string]options.Source) Renderer {
	in := integration.Instance{ID: "int_1", EndpointURL: "https://calls.example.com/integrations/int_1", TokenKey: []byte(strings.Repeat("k", 32)),
		MediaURLs: map[string]string{"media:1": "https://calls.example.com/media/x.mp3"}}
	o := options.Options{Language: "en-US", Prompts: sources}
	return New(o, in.MediaURLs, endpoint.HoldMusic(in, o), endpoint.NewLinks(in, callSID))
}

func TestGoldenReplies(t *testing.T) {
	t.Parallel()
	var said []reply.Prompt
	note := func(p reply.Prompt) []reply.Prompt {
		said = append(said, p)
		return []reply.Prompt{p}
	}
	key := func(k reply.PromptKey) []reply.Prompt { return note(reply.Prompt{Key: k}) }
	press := func(n int, team string) reply.Prompt {
		return reply.Prompt{Key: reply.PromptPress, Digit: n, Team: team}
	}
	replies := map[string]reply.Reply{
		"reject":  reply.Reject{},
		"refused": reply.Refused{},
		"empty":   reply.Empty{},
		"hangup":  reply.Hangup{Say: key(reply.PromptNoAnswer)},
		"menu-PT31": reply.Menu{Step: 3, Intro: append(key(reply.PromptWelcome), key(reply.PromptInvalidKey)...),
			Items: []reply.Prompt{press(1, "Customer Support"), press(2, "R&D <Ops>")}, Digits: 1, Timeout: 10 * time.Second},
		"menu-two-digits-PT32": reply.Menu{Step: 4, Items: []reply.Prompt{press(10, "Büro 東京"), {Key: reply.PromptPressPound}}, Digits: 2, Timeout: 5 * time.Second},
		"enqueue":              reply.Enqueue{Step: 5, Say: key(reply.PromptWelcome)},
		"hold":                 reply.Hold{Step: 5, Say: append(key(reply.PromptPleaseWait), key(reply.PromptStar)...), Tick: 2, Star: true},
		"hold-without-star":    reply.Hold{Step: 5},
		"leave":                reply.LeaveQueue{},
		"record":               reply.Record{Step: 6, Say: key(reply.PromptGreeting), MaxLength: time.Minute, Silence: 10 * time.Second, FinishOnKey: "#", Transcribe: true},
		"ask":                  reply.Ask{Leg: "2", Step: 1, Say: append(note(reply.Prompt{Key: reply.PromptAsk, Team: "DevOps", Number: callerNum, Called: calledNum}), key(reply.PromptAskKeys)...), Timeout: 5 * time.Second},
		"ask-message": reply.Ask{Leg: "2", Step: 1, Timeout: 8 * time.Second, Say: append(
			note(reply.Prompt{Key: reply.PromptMessage, Team: "DevOps", Number: callerNum, Seconds: 23, Count: 1}), key(reply.PromptMessageKeys)...)},
		"play": reply.Play{Leg: "2", Step: 2, Media: []string{"media:1", "media:gone", "media:1"}, Between: key(reply.PromptMessageNext),
			Say: note(reply.Prompt{Key: reply.PromptMessageAfter, Number: callerNum}), Timeout: 8 * time.Second},
		"join":       reply.Join{Say: key(reply.PromptMessageNext), Call: "CA0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d", Leg: 2},
		"join-back":  reply.Join{Call: "CA0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d", Leg: 2, Back: true},
		"stay":       reply.Stay{Leg: "2", Step: 1, Say: key(reply.PromptConnecting)},
		"dial-queue": reply.DialQueue{Leg: "2", Step: 1, Say: key(reply.PromptConnecting), Timeout: 5 * time.Second},
		"announce":   reply.Announce{Say: key(reply.PromptBeforeConnect)},
	}
	for name, answer := range replies {
		doc := testRenderer(nil).Render(answer)
		data, err := doc.Encode()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := twimltest.Decode(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		golden(t, name, masked(data, prompts.DefaultLanguage, append(said, reply.Prompt{Key: reply.PromptRefused})...))
	}
}

// masked replaces what the prompts say by their keys, so that a golden file shows which prompt
// stands where and stays the same when its words change.
func masked(document []byte, language string, said ...reply.Prompt) []byte {
	words := map[string]string{}
	for _, p := range said {
		text := prompts.Text(language, prompts.Key(p.Key), prompts.Args{Team: p.Team, Number: p.Number, Called: p.Called, Seconds: p.Seconds, Count: p.Count})
		var escaped bytes.Buffer
		_ = xml.EscapeText(&escaped, []byte(text)) // a bytes.Buffer does not fail
		words[escaped.String()] = "[" + string(p.Key) + "]"
	}
	delete(words, "") // a prompt without words
	longestFirst := slices.SortedFunc(maps.Keys(words), func(a, b string) int { return len(b) - len(a) })
	for _, text := range longestFirst { // "Goodbye." ends several others
		document = bytes.ReplaceAll(document, []byte(text), []byte(words[text]))
	}
	return document
}

// allPrompts is every prompt the call flow can ask for.
var allPrompts = []reply.PromptKey{
	reply.PromptWelcome, reply.PromptPress, reply.PromptPressPound, reply.PromptInvalidKey, reply.PromptPleaseWait, reply.PromptStillTrying,
	reply.PromptStar, reply.PromptBeforeConnect, reply.PromptGreeting, reply.PromptAfterMessage, reply.PromptNoAnswer, reply.PromptTooManyTries,
	reply.PromptNoTeam, reply.PromptGoodbye, reply.PromptDisabled, reply.PromptMaintenance, reply.PromptUnavailable, reply.PromptRateLimited,
	reply.PromptRefused, reply.PromptAsk, reply.PromptAskKeys, reply.PromptConnecting, reply.PromptPassed, reply.PromptNoKey, reply.PromptTaken,
	reply.PromptCallerLeft, reply.PromptCallerMessage, reply.PromptNotConnected,
	reply.PromptMessage, reply.PromptMessageShort, reply.PromptMessages, reply.PromptMessageKeys, reply.PromptMessageNext, reply.PromptMessageAfter,
	reply.PromptMessageTaken, reply.PromptMessageDone, reply.PromptMessageGone, reply.PromptMessageLater,
}

func TestPT38EveryPromptInEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, lang := range prompts.Languages() {
		r := testRenderer(nil)
		r.language = lang.Tag
		var doc twiml.Document
		for _, k := range allPrompts {
			p := reply.Prompt{Key: k, Digit: 1, Team: "DevOps", Number: callerNum, Called: calledNum, Seconds: 23, Count: 2}
			withheld := p
			withheld.Number = ""
			verbs := r.Say([]reply.Prompt{p, withheld})
			if k == reply.PromptWelcome {
				if len(verbs) != 0 {
					t.Errorf("a welcome that nobody configured: %v", verbs)
				}
				continue
			}
			if len(verbs) != 2 {
				t.Errorf("%s: %s gives %d verbs", lang.Tag, k, len(verbs))
			}
			for i, v := range verbs {
				number := []string{callerNum, ""}[i]
				text := prompts.Text(lang.Tag, prompts.Key(k), prompts.Args{Digit: 1, Team: "DevOps", Number: number, Called: calledNum, Seconds: 23, Count: 2})
				want := twiml.Say{Voice: lang.Voice, Language: lang.Tag, Text: text}
				if diff := cmp.Diff(twiml.Verb(want), v); diff != "" || text == "" {
					t.Errorf("%s: %s (-want +got):\n%s", lang.Tag, k, diff)
				}
			}
			doc.Verbs = append(doc.Verbs, verbs...)
		}
		if _, err := doc.Encode(); err != nil {
			t.Errorf("%s: %v", lang.Tag, err)
		}
	}
}

func TestConfiguredPrompts(t *testing.T) {
	t.Parallel()
	r := testRenderer(map[string]options.Source{
		"welcome": {Text: "Hi & welcome."}, "before_wait": {URL: "https://x.example.com/wait.mp3"}, "before_connect": {Media: "media:1"}, "no_answer": {Media: "media:lost"},
		"wait_music": {URL: "https://x.example.com/music.mp3"},
	})
	for key, want := range map[reply.PromptKey]twiml.Verb{
		reply.PromptWelcome:       twiml.Say{Voice: "Polly.Joanna-Neural", Language: "en-US", Text: "Hi & welcome."},
		reply.PromptPleaseWait:    twiml.Play{URL: "https://x.example.com/wait.mp3"},
		reply.PromptBeforeConnect: twiml.Play{URL: "https://calls.example.com/media/x.mp3"},
		reply.PromptNoAnswer:      twiml.Say{Voice: "Polly.Joanna-Neural", Language: "en-US", Text: prompts.Text(prompts.DefaultLanguage, prompts.KeyNoAnswer, prompts.Args{})},
	} {
		if diff := cmp.Diff([]twiml.Verb{want}, r.Say([]reply.Prompt{{Key: key}})); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	doc := r.Render(reply.Hold{Step: 1})
	if want := (twiml.Play{URL: "https://x.example.com/music.mp3"}); !slices.Contains(doc.Verbs, twiml.Verb(want)) {
		t.Errorf("PT43 music: %v", doc.Verbs)
	}
}

func TestLongTextsAreCutForTwilio(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"sentences": strings.Repeat("This is a sentence of some length. ", 60), "words": strings.Repeat("word ", 500), "one word": strings.Repeat("x", 2000),
		"ideographs": strings.Repeat("東京", 1000), "emoji": strings.Repeat("👋", 900), "nothing": " \n ",
	} {
		verbs := testRenderer(nil).text(text)
		var back strings.Builder
		for _, v := range verbs {
			back.WriteString(v.(twiml.Say).Text)
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if squeeze(back.String()) != squeeze(text) {
			t.Errorf("%s: something is lost", name)
		}
		if _, err := twiml.New(verbs...).Encode(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGoldenFixedAnswers(t *testing.T) {
	t.Parallel()
	fixedKey := func(k prompts.Key) reply.Prompt { return reply.Prompt{Key: reply.PromptKey(k)} }
	golden(t, "not-in-service", masked(Fixed(prompts.KeyNotInService).Body, prompts.DefaultLanguage, fixedKey(prompts.KeyNotInService)))
	de := options.Options{Language: "de-DE"}
	ring := endpoint.NewLinks(integration.Instance{ID: "int_1", EndpointURL: "https://calls.example.com/integrations/int_1", TokenKey: []byte(strings.Repeat("k", 32))}, "ring-ABCDEFGHIJKLMNOP")
	rings := fixedKey(prompts.KeyTestRing)
	rings.Team = "Hotline <&>"
	golden(t, "test-ring", masked(TestRing(de, rings.Team, ring.Ring(1)).Body, "de-DE", rings))
	golden(t, "test-ring-heard", masked(TestRingHeard(de).Body, "de-DE", fixedKey(prompts.KeyTestHeard)))
	golden(t, "test-ring-over", masked(Farewell(de).Body, "de-DE", reply.Prompt{Key: reply.PromptGoodbye}))
	a := Fallback(options.Options{Language: "de-DE"})
	golden(t, "fallback-wait", masked(a.Wait.Body, "de-DE", fixedKey(prompts.KeyMoment)))
	golden(t, "fallback-last-words", masked(a.LastWords.Body, "de-DE", fixedKey(prompts.KeyNoAnswer)))
	if strings.Count(string(a.Wait.Body), integration.FallbackURLMark) != 1 {
		t.Error("the mark for the retry URL is not there once")
	}
}
