package lists

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/textmatch"
	"github.com/livecallrouting/livecall/host-sdk/phone"
)

// maxValue bounds a value by which a list is narrowed, in bytes: ids, numbers and cursors are
// shorter.
const maxValue = 200

// Query is what narrows a list, by the names that it has in addresses. Zero fields do not. It is
// comparable, which Narrowed relies on.
type Query struct {
	Status      integration.AlertStatus // status, of alerts
	Integration string                  // integration
	Team        string                  // team, an id
	From        string                  // from, the caller's number or address
	Ended       string                  // ended, of calls
	Since       time.Time               // since: made at or after it
	Until       time.Time               // until: made before it
	Live        bool                    // live, of calls
	Unheard     bool                    // unheard: with a recording that nobody has heard
	Text        string                  // q: what people search for
	Cursor      string                  // cursor
	Limit       int                     // limit; 0: as many as the list has by itself
}

// Statuses are those that a list of alerts may be narrowed to. A deleted alert is in no list. The
// order is that of pages and of the API's documentation.
var Statuses = []integration.AlertStatus{
	integration.AlertOpen, integration.AlertDropped, integration.AlertQueued, integration.AlertAcknowledged, integration.AlertResolved,
}

// Read reads the query of an address. Times are as in RFC 3339, or dates, which begin at midnight
// UTC; a date in until is its last day. An error is invalid, and names the value with the remedy:
// what is misspelt would read as an empty list. most is the highest limit that may be asked for.
func Read(values url.Values, most int) (Query, error) { return ReadForm(values, most, nil) }

// ReadForm is Read for the query of a form, whose error calls a value by the label of its field:
// labels has those that differ from the name.
func ReadForm(values url.Values, most int, labels map[string]string) (Query, error) {
	r := reader{values: values, labels: labels}
	q := Query{
		Status: integration.AlertStatus(r.text("status", maxValue)), Integration: r.text("integration", maxValue), Team: r.text("team", maxValue),
		From: strings.TrimSpace(r.text("from", maxValue)), Ended: r.text("ended", maxValue), Since: r.time("since", false), Until: r.time("until", true),
		Live: r.bool("live"), Unheard: r.bool("unheard"), Text: strings.TrimSpace(r.text("q", textmatch.MaxBytes)), Cursor: r.text("cursor", maxValue),
		Limit: r.number("limit", most),
	}
	// People write numbers with spaces and hyphens.
	if number, err := phone.Read(q.From, ""); err == nil {
		q.From = number
	}
	if q.Status != "" && !slices.Contains(Statuses, q.Status) {
		var known []string
		for _, s := range Statuses {
			known = append(known, string(s))
		}
		r.wrong("status %.40q is unknown: use one of %s", q.Status, strings.Join(known, ", "))
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		r.wrong("%s is not before %s: %s and %s; exchange them, or leave one out", r.label("since"), r.label("until"), r.values.Get("since"), r.values.Get("until"))
	}
	return q, r.err
}

// Narrowed reports whether the list leaves anything out, beside what other pages of it have.
func (q Query) Narrowed() bool {
	q.Cursor, q.Limit = "", 0
	return q != Query{}
}

// reader reads the values of a query. The first problem is its error. A bad value reads as none, so
// that the rest can be read, too.
type reader struct {
	values url.Values
	labels map[string]string
	err    error
}

// label is what a value is called where it was given.
func (r *reader) label(name string) string { return cmp.Or(r.labels[name], name) }

// wrong notes what is wrong, unless something was before.
func (r *reader) wrong(format string, args ...any) {
	if r.err == nil {
		r.err = integration.Errorf(integration.KindInvalid, format, args...)
	}
}

// text is a value of at most so many bytes. What no form can send is refused, as databases differ
// in what they do with it. PostgreSQL refuses zero bytes and what is not UTF-8, SQLite takes both.
func (r *reader) text(name string, most int) string {
	text := r.values.Get(name)
	if len(text) > most {
		r.wrong("%s has %d bytes, at most %d can be searched for", r.label(name), len(text), most)
		return ""
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) && !unicode.IsSpace(c) }) {
		r.wrong("%s holds what is no text: leave control characters out", r.label(name))
		return ""
	}
	return text
}

// time is a value that is a time, or a date, or the day after it. after: a date means its end.
func (r *reader) time(name string, after bool) time.Time {
	text := r.text(name, maxValue)
	if text == "" {
		return time.Time{}
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		if after {
			day = day.AddDate(0, 0, 1)
		}
		return day
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		r.wrong("%s must be a time such as 2026-03-04T05:06:07Z, or a date such as 2026-03-04, and is %.40q", r.label(name), text)
	}
	return at
}

// bool is a value that is true or false.
func (r *reader) bool(name string) bool {
	switch text := r.text(name, maxValue); text {
	case "", "false", "0":
		return false
	case "true", "1":
		return true
	default:
		r.wrong("%s must be true or false, and is %.40q", r.label(name), text)
		return false
	}
}

// number is a value from 1 to most. 0 is a value that was not given.
func (r *reader) number(name string, most int) int {
	text := r.text(name, maxValue)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		r.wrong("%s must be a number from 1 to %d", r.label(name), most)
		return 0
	}
	return n
}
