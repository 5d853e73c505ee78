package form

import (
	"net/url"
	"strings"
	"testing"
)

// Dates have the browser's own controls, and what such a control could not show stays as it was
// typed.
func TestDatesHaveControlsOfTheirOwn(t *testing.T) {
	t.Parallel()
	f, err := Parse([]byte(`{"properties": {"day": {"type": "string", "format": "date"}, "at": {"type": "string", "format": "date-time"}, "note": {"type": "string"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for values, want := range map[string][]string{
		`{}`: {`<input type="date" id="option-day"`, `<input type="datetime-local" id="option-at"`, `<input type="text" id="option-note"`, "In UTC."},
		`{"day": "2026-12-24", "at": "2026-12-24T19:30:00+01:00"}`: {`type="date" id="option-day" name="option.day" value="2026-12-24"`, `type="datetime-local" id="option-at" name="option.at" value="2026-12-24T18:30"`},
		`{"day": "24.12.", "at": "tomorrow"}`:                      {`type="text" id="option-day" name="option.day" value="24.12."`, `type="text" id="option-at" name="option.at" value="tomorrow"`},
		`{"at": "2026-12-24T18:30:15Z"}`:                           {`type="text" id="option-at" name="option.at" value="2026-12-24T18:30:15Z"`},
	} {
		html, err := f.HTML(View{Values: []byte(values)})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(string(html), text) {
				t.Errorf("%s: the form has no %s:\n%s", values, text, html)
			}
		}
	}
	doc, err := f.Decode(url.Values{"option.day": {"2026-12-24"}, "option.at": {"2026-12-24T18:30"}, "option.note": {"2026-12-24T18:30"}}, nil, nil)
	if want := `{"at":"2026-12-24T18:30:00Z","day":"2026-12-24","note":"2026-12-24T18:30"}`; err != nil || string(doc) != want {
		t.Errorf("decoded: %s (%v), want %s", doc, err, want)
	}
	if doc, err = f.Decode(url.Values{"option.at": {"24.12. at six"}}, nil, nil); err != nil || string(doc) != `{"at":"24.12. at six"}` {
		t.Errorf("what is no date is kept: %s (%v)", doc, err)
	}
}
