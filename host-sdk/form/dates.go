package form

import "time"

// The formats of JSON Schema that browsers have controls for.
const (
	formatDate     = "date"
	formatDateTime = "date-time"
)

// minutes is how a browser's control writes a date and a time. Browsers send no zone and, while the
// seconds are zero, no seconds either (HTML: datetime-local).
const minutes = "2006-01-02T15:04"

// DateControl is the type of the input for a text of a format, and the text as that input shows it:
// date, or for date-time datetime-local, in UTC. A text that such an input could not show, which
// was typed without one, stays as it is, in an input of the type text. An input of such a type
// shows nothing for a text that it cannot read, and would save nothing in its place.
func DateControl(format, text string) (control, shown string) {
	switch format {
	case formatDate:
		if _, err := time.Parse(time.DateOnly, text); err == nil || text == "" {
			return "date", text
		}
	case formatDateTime:
		if text == "" {
			return "datetime-local", ""
		}
		// Seconds that somebody has chosen are not dropped.
		if t, err := time.Parse(time.RFC3339, text); err == nil && t.Truncate(time.Minute).Equal(t) {
			return "datetime-local", t.UTC().Format(minutes)
		}
	}
	return "text", text
}

// DateValue is what was entered into the control of a format as JSON Schema wants it: a date-time
// without a time zone, as browsers send it, is in UTC. All else stays as it is. It is the way back
// of DateControl.
func DateValue(format, text string) string {
	if format != formatDateTime {
		return text
	}
	for _, layout := range []string{minutes, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Format(time.RFC3339)
		}
	}
	return text
}
