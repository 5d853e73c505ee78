package twiml

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const base = "https://calls.example.com/integrations/7/c/CA1/"

func everything() Document {
	return New(
		Say{Voice: "Polly.Joanna-Neural", Language: "en-US", Text: `R&D <"first"> 'l'é 東京 👋`},
		Play{URL: base + "a.mp3?x=1&y=2"},
		Pause{Seconds: 3},
		Gather{Action: base + "menu?s=1&t=a#rc=3&rp=ct,5xx", Timeout: 5, NumDigits: 1, FinishOnKey: Key(""), ActionOnEmptyResult: true,
			Nested: []Verb{Say{Text: "Press 1."}, Play{URL: base + "b.wav"}, Pause{Seconds: 1}}},
		Dial{Action: base + "ended", Timeout: 5, Queue: Queue{Name: "lcr-7-CA1", URL: base + "announce"}},
		Record{Action: base + "recorded", MaxLength: 60, Timeout: 10, FinishOnKey: "#", StatusCallback: base + "recording",
			StatusEvents: []string{"completed", "absent"}, Transcribe: true, TranscribeCallback: base + "transcription"},
		Enqueue{Action: base + "left", WaitURL: base + "hold", Name: "lcr-7-CA1"},
		Redirect{URL: base + "resume"},
	)
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, doc := range []Document{{}, everything(), New(Reject{}), New(Reject{Busy: true}), New(Leave{}), New(Hangup{}),
		New(Gather{Action: base, FinishOnKey: Key("#")}), New(Record{Action: base, MaxLength: 2})} {
		data, err := doc.Encode()
		if err != nil {
			t.Errorf("encode: %v", err)
		}
		back, err := Decode(data)
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
	data := New(Say{Text: "a\x00b\x1bc\xffd"}).Bytes()
	doc, err := Decode(data)
	if err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	if got := doc.Verbs[0].(Say).Text; got != "a\uFFFDb\uFFFDc\uFFFDd" {
		t.Errorf("text is %q", got)
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 800)
	tests := map[string]struct {
		doc  Document
		want string
	}{
		"relative action":     {New(Gather{Action: "/menu"}), "absolute"},
		"no host":             {New(Redirect{URL: "https:///x"}), "absolute"},
		"file":                {New(Play{URL: "file:///etc/x"}), "absolute"},
		"long queue name":     {New(Enqueue{Action: base, WaitURL: base, Name: strings.Repeat("q", 65)}), "1 to 64"},
		"no queue name":       {New(Dial{Action: base, Queue: Queue{URL: base}}), "1 to 64"},
		"gather in gather":    {New(Gather{Action: base, Nested: []Verb{Gather{Action: base}}}), "not allowed"},
		"behind redirect":     {New(Redirect{URL: base}, Hangup{}), "never reached"},
		"late reject":         {New(Say{Text: "x"}, Reject{}), "first verb"},
		"zero pause":          {New(Pause{}), "at least 1"},
		"silent say":          {New(Say{Text: " "}), "empty"},
		"say too long":        {New(Say{Text: strings.Repeat("a", 3001)}), "at most 3000"},
		"say too long in URL": {New(Say{Text: long}), "URL encoding"},
		"dial timeout":        {New(Dial{Action: base, Timeout: 2, Queue: Queue{Name: "q", URL: base}}), "5 to 600"},
		"record without end":  {New(Record{Action: base}), "maxLength"},
		"long transcription":  {New(Record{Action: base, MaxLength: 121, Transcribe: true}), "120"},
		"two finish keys":     {New(Gather{Action: base, FinishOnKey: Key("#*")}), "finishOnKey"},
		"unknown event":       {New(Record{Action: base, MaxLength: 9, StatusEvents: []string{"done"}}), "not known"},
		"too large": {New(func() []Verb {
			var vs []Verb
			for range 40 {
				vs = append(vs, Say{Text: strings.Repeat("a", 2000)})
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

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const head = `<?xml version="1.0" encoding="UTF-8"?>`
	for name, body := range map[string]string{
		"no declaration":    `<Response/>`,
		"empty":             ``,
		"other root":        head + `<Reply/>`,
		"two roots":         head + `<Response/><Response/>`,
		"unknown verb":      head + `<Response><Sms>x</Sms></Response>`,
		"wrong case":        head + `<Response><say>x</say></Response>`,
		"unknown attribute": head + `<Response><Hangup now="1"/></Response>`,
		"loose text":        head + `<Response>hello</Response>`,
		"nested":            head + `<Response><Say><Hangup/></Say></Response>`,
		"method":            head + `<Response><Redirect method="GET">https://x.example</Redirect></Response>`,
		"number":            head + `<Response><Pause length="x"/></Response>`,
		"cut":               head + `<Response><Hangup/>`,
		"dial without":      head + `<Response><Dial action="https://x.example" method="POST"/></Response>`,
	} {
		if doc, err := Decode([]byte(body)); err == nil {
			t.Errorf("%s: accepted as %+v", name, doc)
		}
	}
}

// FuzzSay holds that any text can be spoken and comes back as XML understands it.
func FuzzSay(f *testing.F) {
	f.Add("hello & goodbye")
	f.Add("\x00\r\n\t]]>\u2028\ufffe")
	f.Fuzz(func(t *testing.T, text string) {
		data := New(Say{Text: text}, Gather{Action: base + text, Nested: []Verb{Say{Text: text}}}).Bytes()
		doc, err := Decode(data)
		if err != nil {
			t.Fatalf("%v in %q", err, data)
		}
		if again := doc.Bytes(); string(again) != string(data) {
			t.Fatalf("not stable:\n%q\n%q", data, again)
		}
	})
}
