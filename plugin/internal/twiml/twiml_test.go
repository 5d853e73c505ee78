package twiml_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/plugin/internal/twiml"
	"github.com/livecallrouting/livecall/plugin/internal/twiml/twimltest"
)

const base = "https://calls.example.com/integrations/7/c/CA1/"

func everything() twiml.Document {
	return twiml.New(
		twiml.Say{Voice: "Polly.Joanna-Neural", Language: "en-US", Text: `R&D <"first"> 'l'é 東京 👋`},
		twiml.Play{URL: base + "a.mp3?x=1&y=2"},
		twiml.Pause{Seconds: 3},
		twiml.Gather{Action: base + "menu?s=1&t=a#rc=3&rp=ct,5xx", Timeout: 5, NumDigits: 1, FinishOnKey: twiml.Key(""), ActionOnEmptyResult: true,
			Nested: []twiml.Verb{twiml.Say{Text: "Press 1."}, twiml.Play{URL: base + "b.wav"}, twiml.Pause{Seconds: 1}}},
		twiml.Dial{Action: base + "ended", Timeout: 5, Queue: twiml.Queue{Name: "lcr-7-CA1", URL: base + "announce"}},
		twiml.Record{Action: base + "recorded", MaxLength: 60, Timeout: 10, FinishOnKey: "#", StatusCallback: base + "recording",
			StatusEvents: []string{"completed", "absent"}, Transcribe: true, TranscribeCallback: base + "transcription"},
		twiml.Enqueue{Action: base + "left", WaitURL: base + "hold", Name: "lcr-7-CA1"},
		twiml.Redirect{URL: base + "resume"},
	)
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, doc := range []twiml.Document{{}, everything(), twiml.New(twiml.Reject{}), twiml.New(twiml.Reject{Busy: true}), twiml.New(twiml.Leave{}), twiml.New(twiml.Hangup{}),
		twiml.New(twiml.Gather{Action: base, FinishOnKey: twiml.Key("#")}), twiml.New(twiml.Record{Action: base, MaxLength: 2})} {
		data, err := doc.Encode()
		if err != nil {
			t.Errorf("encode: %v", err)
		}
		back, err := twimltest.Decode(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if diff := cmp.Diff(doc, back); diff != "" {
			t.Errorf("changed on the way (-out +back):\n%s\n%s", diff, data)
		}
		if string(doc.Bytes()) != string(data) {
			t.Error("the same document gave other bytes")
		}
	}
}

func TestEncodeWritesEmptyFinishOnKeyAndEscapes(t *testing.T) {
	t.Parallel()
	got := string(everything().Bytes())
	for _, want := range []string{
		`finishOnKey=""`, `t=a#rc=3&amp;rp=ct,5xx"`, `R&amp;D &lt;&#34;first&#34;&gt; &#39;l&#39;é 東京 👋`,
		`<Enqueue action="https://calls.example.com/integrations/7/c/CA1/left" method="POST" waitUrl=`,
		`recordingStatusCallbackEvent="completed absent"`, "<Response>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

func TestControlCharactersAreReplaced(t *testing.T) {
	t.Parallel()
	data := twiml.New(twiml.Say{Text: "a\x00b\x1bc\xffd"}).Bytes()
	doc, err := twimltest.Decode(data)
	if err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	if got := doc.Verbs[0].(twiml.Say).Text; got != "a\uFFFDb\uFFFDc\uFFFDd" {
		t.Errorf("text is %q", got)
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 800)
	tests := map[string]struct {
		doc  twiml.Document
		want string
	}{
		"relative action":     {twiml.New(twiml.Gather{Action: "/menu"}), "absolute"},
		"no host":             {twiml.New(twiml.Redirect{URL: "https:///x"}), "absolute"},
		"file":                {twiml.New(twiml.Play{URL: "file:///etc/x"}), "absolute"},
		"long queue name":     {twiml.New(twiml.Enqueue{Action: base, WaitURL: base, Name: strings.Repeat("q", 65)}), "1 to 64"},
		"no queue name":       {twiml.New(twiml.Dial{Action: base, Queue: twiml.Queue{URL: base}}), "1 to 64"},
		"gather in gather":    {twiml.New(twiml.Gather{Action: base, Nested: []twiml.Verb{twiml.Gather{Action: base}}}), "not allowed"},
		"behind redirect":     {twiml.New(twiml.Redirect{URL: base}, twiml.Hangup{}), "never reached"},
		"late reject":         {twiml.New(twiml.Say{Text: "x"}, twiml.Reject{}), "first verb"},
		"zero pause":          {twiml.New(twiml.Pause{}), "at least 1"},
		"silent say":          {twiml.New(twiml.Say{Text: " "}), "empty"},
		"say too long":        {twiml.New(twiml.Say{Text: strings.Repeat("a", 3001)}), "at most 3000"},
		"say too long in URL": {twiml.New(twiml.Say{Text: long}), "URL encoding"},
		"dial timeout":        {twiml.New(twiml.Dial{Action: base, Timeout: 2, Queue: twiml.Queue{Name: "q", URL: base}}), "5 to 600"},
		"record without end":  {twiml.New(twiml.Record{Action: base}), "maxLength"},
		"long transcription":  {twiml.New(twiml.Record{Action: base, MaxLength: 121, Transcribe: true}), "120"},
		"two finish keys":     {twiml.New(twiml.Gather{Action: base, FinishOnKey: twiml.Key("#*")}), "finishOnKey"},
		"unknown event":       {twiml.New(twiml.Record{Action: base, MaxLength: 9, StatusEvents: []string{"done"}}), "not known"},
		"too large": {twiml.New(func() []twiml.Verb {
			var vs []twiml.Verb
			for range 40 {
				vs = append(vs, twiml.Say{Text: strings.Repeat("a", 2000)})
			}
			return vs
		}()...), "Twilio takes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.doc.Encode()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
		})
	}
}

// FuzzSay holds that any text can be spoken and comes back as XML understands it.
func FuzzSay(f *testing.F) {
	f.Add("hello & goodbye")
	f.Add("\x00\r\n\t]]>\u2028\ufffe")
	f.Fuzz(func(t *testing.T, text string) {
		data := twiml.New(twiml.Say{Text: text}, twiml.Gather{Action: base + text, Nested: []twiml.Verb{twiml.Say{Text: text}}}).Bytes()
		doc, err := twimltest.Decode(data)
		if err != nil {
			t.Fatalf("%v in %q", err, data)
		}
		if again := doc.Bytes(); string(again) != string(data) {
			t.Fatalf("not stable:\n%q\n%q", data, again)
		}
	})
}
