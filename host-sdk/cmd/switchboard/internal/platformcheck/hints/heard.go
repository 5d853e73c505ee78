package hints

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// maxHintAge is how old the time of a hint may be when it comes; a switchboard takes 5 min.
const maxHintAge = 10 * time.Second

// Heard is a hint and how it was answered. Status 0 is one that was spoilt.
type Heard struct {
	At     time.Time
	path   string
	header http.Header
	body   []byte
	Status int
	detail string // of the answer
}

// Faults says what is wrong with a hint. bodies has those of earlier ones by their ids. The
// listener's own answer says most; the rest is what it lets pass.
func (h Heard) Faults(bodies map[string]string) []string {
	var out []string
	if h.Status == http.StatusUnauthorized || h.Status == http.StatusBadRequest || h.Status == http.StatusRequestEntityTooLarge {
		var problem wire.Problem
		_ = json.Unmarshal([]byte(h.detail), &problem)
		out = append(out, fmt.Sprintf("A hint was refused with %d: %s.", h.Status, number.ReplaceAllString(problem.Detail, "…")))
	}
	if media, _, _ := mime.ParseMediaType(h.header.Get("Content-Type")); media != "application/json" {
		out = append(out, fmt.Sprintf("A hint has the media type %q: write Content-Type: application/json.", media))
	}
	if id := h.header.Get("webhook-id"); id != "" {
		if other, there := bodies[id]; there && other != string(h.body) {
			out = append(out, "Two different hints have the same webhook-id: it names one hint, and is the same only for its repetitions.")
		}
		bodies[id] = string(h.body)
	}
	if seconds, err := strconv.ParseInt(h.header.Get("webhook-timestamp"), 10, 64); err == nil && h.Status < 300 {
		if off := h.At.Sub(time.Unix(seconds, 0)).Abs(); off > maxHintAge {
			out = append(out, fmt.Sprintf("webhook-timestamp is %v away from this machine's clock: write the time of each try, and set the clock.", off.Round(time.Second)))
		}
	}
	var event wire.Event
	if json.Unmarshal(h.body, &event) != nil {
		return out
	}
	if event.Type != wire.EventAlertChanged {
		out = append(out, fmt.Sprintf("The type of a hint is %q: %s is the only one.", event.Type, wire.EventAlertChanged))
	}
	for _, u := range wire.UnknownMembers(h.body, event) {
		if u.Meant != "" {
			out = append(out, fmt.Sprintf("The member %s of a hint is not in the document: is %s meant?", u.Path, u.Meant))
		}
	}
	for _, ref := range event.Data.Alerts {
		if ref.Integration == "" || ref.AlertKey == "" {
			out = append(out, "A hint names an alert without integration or alert_key.")
		}
	}
	return out
}

// Names reports whether a hint was taken and is about an alert.
func (h Heard) Names(alert wire.AlertRef) bool { return h.Status < 300 && h.About(alert) }

// About reports whether a hint is about an alert, taken or not.
func (h Heard) About(alert wire.AlertRef) bool {
	var event wire.Event
	return json.Unmarshal(h.body, &event) == nil && slices.Contains(event.Data.Alerts, alert)
}

// Text is the hint for people.
func (h Heard) Text() string {
	var b strings.Builder
	b.WriteString("POST " + h.path)
	for _, name := range []string{"content-type", "webhook-id", "webhook-timestamp", "webhook-signature"} {
		fmt.Fprintf(&b, "\n  %s: %s", name, h.header.Get(name))
	}
	fmt.Fprintf(&b, "\n  %s\n  %d %s", record.Excerpt(h.body), h.Status, record.Excerpt([]byte(h.detail)))
	return b.String()
}

// number is what differs from one refusal to the next.
var number = regexp.MustCompile(`[0-9]+`)
