package layout

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
)

func TestAge(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Minute:    "just now", // clocks differ
		9 * time.Second: "just now", 10 * time.Second: "10 s ago", 59 * time.Second: "59 s ago",
		time.Minute: "1 min ago", 59*time.Minute + 59*time.Second: "59 min ago",
		time.Hour: "1 h ago", 47 * time.Hour: "47 h ago", 48 * time.Hour: "2 days ago",
	} {
		if got := age(d); got != want {
			t.Errorf("age(%v) = %q, want %q", d, got, want)
		}
	}
}

// TestANameFromRightToLeftStandsForItselfInASentence: what follows it keeps its place, and an
// address stays one.
func TestANameFromRightToLeftStandsForItselfInASentence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"ليلى العربي (+12025550143) <is> called": `<bdi>ليلى العربي</bdi> (<span class="number">+1 202-555-0143</span>) &lt;is&gt; called`,
		"Paging שרה, Bob":                 "Paging <bdi>שרה</bdi>, Bob",
		"See https://example.com/ליל now": `See <a href="https://example.com/ליל" rel="noreferrer">https://example.com/ליל</a> now`,
		"Paging Bob":                      "Paging Bob",
	} {
		if got := said(text); string(got) != want {
			t.Errorf("said(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestATimeInASentenceIsShownAsAllOthers: whatever else looks like one stays as it is.
func TestATimeInASentenceIsShownAsAllOthers(t *testing.T) {
	t.Parallel()
	const shown = `<time datetime="2026-12-01T10:00:00Z" data-time="local">Tue 1 Dec 10:00 UTC</time>`
	for text, want := range map[string]string{
		"<bob> layer 1, 2026-12-01T10:00Z to 2026-12-01T10:00:00Z": "&lt;bob&gt; layer 1, " + shown + " to " + shown,
		"2026-13-01T10:00Z, 12026-12-01T10:00Z":                    "2026-13-01T10:00Z, 12026-12-01T10:00Z",
	} {
		if got := timed(text); string(got) != want {
			t.Errorf("timed(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		Phone(""):                                   "withheld",
		Phone("+12025550143"):                       "+1 202-555-0143",
		Phone("+442079460000"):                      "+44 20 7946 0000",
		WebAddress("https://example.com/"):          "https://example.com/",
		WebAddress("http://example.com/"):           "http://example.com/",
		WebAddress("javascript:alert(1)"):           "",
		PlainWord("leaving_message"):                "Leaving message",
		PlainWord("überlastet"):                     "Überlastet",
		httpkit.Sentence("équipe inconnue"):         "Équipe inconnue.",
		wording.Count(1, "error", "errors"):         "1 error",
		wording.Count(0, "error", "errors"):         "0 errors",
		wording.Count(3, "error", "errors"):         "3 errors",
		initials("Alice van der Example"):           "AV",
		initials("élise"):                           "É",
		httpkit.Sentence("there is no team \"x\""):  "There is no team \"x\".",
		httpkit.Sentence("Really? Choose another!"): "Really? Choose another!",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, got := range []string{PlainWord(""), httpkit.Sentence(""), initials(" ")} {
		if got != "" {
			t.Errorf("of nothing there is %q", got)
		}
	}
}

func TestAddressesInTheStoryCanBeFollowed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Nothing to follow.": "Nothing to follow.",
		"The alert of that call: https://host.example.com/alerts/1?a=b&c=d.": `The alert of that call: <a href="https://host.example.com/alerts/1?a=b&amp;c=d" rel="noreferrer">https://host.example.com/alerts/1?a=b&amp;c=d</a>.`,
		`<script>alert(1)</script> javascript:alert(1)`:                      `&lt;script&gt;alert(1)&lt;/script&gt; javascript:alert(1)`,
		`https://x.example.com/"onmouseover="x`:                              `<a href="https://x.example.com/" rel="noreferrer">https://x.example.com/</a>&#34;onmouseover=&#34;x`,
	} {
		if got := string(linked(text)); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}
