package callflow

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

var updateScripts = flag.Bool("update", false, "write anew what follows from each event in testdata/calls")

// TestScriptedCalls plays the calls of testdata/calls. Each file reads like the log of a call: a
// line at the margin is a setting or an event with its minute and second, and the indented lines
// below it are everything that the call does then: what is heard, the alert's story and commands,
// requests to Twilio, findings, timers, and whom other calls must leave alone. With -update the
// indented lines are written anew; read each of them as the caller and as the responder would
// before it is committed.
func TestScriptedCalls(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/calls/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			was := string(mustRead(t, file))
			now := playScript(t, was)
			if *updateScripts {
				if err := os.WriteFile(file, []byte(now), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := gocmp.Diff(strings.Split(was, "\n"), strings.Split(now, "\n")); diff != "" {
				t.Errorf("%s (-file +now):\n%s", file, diff)
			}
		})
	}
}

// playScript plays every call of a file, which begin with a line of equal signs each, and returns
// the file with what follows now.
func playScript(t *testing.T, text string) string {
	var s *script
	var out strings.Builder
	for n, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if strings.HasPrefix(line, " ") {
			continue // what followed when the file was written
		}
		out.WriteString(line + "\n")
		switch {
		case strings.HasPrefix(line, "=="), s == nil:
			s = newScript(t)
		case line == "", strings.HasPrefix(line, "#"):
		default:
			s.line = fmt.Sprintf("line %d: %s", n+1, line)
			s.out = &out
			s.play(strings.Fields(line))
		}
	}
	return out.String()
}

// A script is one scripted call.
type script struct {
	*testCall
	tb       *testing.T
	line     string
	out      *strings.Builder
	caller   call.Caller
	queued   int      // step of the document that last put the caller into the queue
	deleted  []string // media that the host does not keep any more
	presence bool     // show the timer that watches for the caller's presence
	busy     string   // whom other calls must leave alone, as shown last
	waiting  string
}

func newScript(t *testing.T) *script {
	c := newCall(t, withVoicemail())
	c.facts.Instance.ProtocolMinor = 1
	c.users["carol"] = carol
	c.facts.Instance.ID, c.facts.Instance.Name = "int_1", "Hotline"
	return &script{testCall: c, tb: t, caller: call.Caller{Sid: callerSid, Number: callerNum, Called: calledNum}, waiting: "nobody", busy: "nobody"}
}

func (s *script) fail(format string, args ...any) {
	s.tb.Helper()
	s.tb.Fatalf("%s: %s", s.line, fmt.Sprintf(format, args...))
}

// words are a line's words: plain ones in order, and those of the form key=value. An underscore
// stands for a space.
type words struct {
	plain []string
	keys  map[string]string
}

func split(fields []string) words {
	w := words{keys: map[string]string{}}
	for _, f := range fields {
		if k, v, ok := strings.Cut(f, "="); ok {
			w.keys[k] = strings.ReplaceAll(v, "_", " ")
			continue
		}
		w.plain = append(w.plain, f)
	}
	return w
}

// at is a plain word; "" if there are fewer.
func (w words) at(i int) string {
	if i < len(w.plain) {
		return w.plain[i]
	}
	return ""
}

func (w words) number(key string) int {
	n, _ := strconv.Atoi(w.keys[key])
	return n
}

func (w words) list(key string) []string {
	if w.keys[key] == "" {
		return nil
	}
	return strings.Split(w.keys[key], ",")
}

// seconds finds a word such as 12s.
func (w words) seconds() int {
	for _, p := range w.plain {
		if d, err := time.ParseDuration(p); err == nil && strings.HasSuffix(p, "s") {
			return int(d / time.Second)
		}
	}
	return 0
}

func (w words) has(word string) bool { return slices.Contains(w.plain, word) }

// play plays one line.
func (s *script) play(fields []string) {
	if fields[0] == "set" {
		s.set(split(fields[1:]))
		return
	}
	at, err := clock(fields[0])
	if err != nil {
		s.fail("%v", err)
	}
	if at < s.now.Sub(start) {
		s.fail("the clock goes back")
	}
	if fields[1] == "passes" { // timers go off until then
		s.runTo(start.Add(at), slices.Contains(fields, "quietly"))
		return
	}
	s.now = start.Add(at)
	s.event(split(fields[1:]))
}

// clock reads minutes and seconds, or hours too.
func clock(text string) (time.Duration, error) {
	var total time.Duration
	for _, part := range strings.Split(text, ":") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0, fmt.Errorf("no time: %q", text)
		}
		total = total*60 + time.Duration(n)*time.Second
	}
	return total, nil
}

// runTo lets timers go off, and shows those that have an effect; quietly: those that change the
// phase or the story.
func (s *script) runTo(until time.Time, quietly bool) {
	for range 500 {
		name, at := s.due()
		if at.IsZero() || at.After(until) {
			s.now = until
			return
		}
		s.now = at
		var held strings.Builder
		out := s.out
		s.out = &held
		s.step(event.Event{Kind: event.Timer, Timer: name})
		s.out = out
		if text := held.String(); text != "" && (!quietly || strings.Contains(text, " now ") || strings.Contains(text, " story: ")) {
			fmt.Fprintf(s.out, "    %s timer %s\n%s", s.since(at), name, text)
		}
	}
	s.fail("timers without end")
}

func (s *script) since(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	d := at.Sub(start)
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	text := fmt.Sprintf("%s%02d:%02d", sign, int(d/time.Minute)%60, int(d/time.Second)%60)
	if d >= time.Hour {
		text = fmt.Sprintf("%s%d:%02d:%02d", sign, int(d/time.Hour), int(d/time.Minute)%60, int(d/time.Second)%60)
	}
	if ms := d % time.Second; ms > 0 {
		text += fmt.Sprintf(".%03d", ms/time.Millisecond)
	}
	return text
}

// event plays one event.
func (s *script) event(w words) {
	e := event.Event{Step: s.state.Step, Digits: w.keys["digits"], Code: w.keys["code"], Detail: w.keys["why"], Busy: w.has("busy"), Seconds: w.seconds()}
	switch w.at(0) {
	case "caller":
		s.callerEvent(&e, w)
	case "phone":
		s.phoneEvent(&e, w)
	case "listener": // of another call's message
		e.Kind, e.Phone, e.CallSid, e.Step, e.CallStatus = event.LegJoins, w.at(2), w.keys["sid"], w.number("step"), event.StatusInProgress
	case "twilio":
		s.twilioEvent(&e, w)
	case "platform":
		s.platformEvent(&e, w)
	case "mail":
		e.Kind, e.Result = event.Mailed, event.Failed
	case "timer":
		e.Kind, e.Timer = event.Timer, w.at(1)
	default:
		s.fail("no such event")
	}
	switch {
	case w.has("unsigned"):
		e.Auth = event.AuthNoToken
	case w.has("forged"):
		e.Auth = event.AuthMismatch
	case w.has("refused") && w.at(0) == "caller":
		e.Auth = event.AuthRefused
	}
	if w.keys["step"] != "" {
		e.Step = w.number("step")
	}
	if w.keys["status"] != "" {
		e.CallStatus = event.Status(w.keys["status"])
	}
	if w.keys["late"] != "" {
		e.ReceivedAt = s.now.Add(-time.Duration(w.number("late")) * time.Second)
	}
	s.step(e)
}

// callerEvent is a request of the caller's leg.
func (s *script) callerEvent(e *event.Event, w words) {
	e.Parameters = map[string]string{"CallSid": callerSid}
	caller := s.caller
	e.Caller = &caller
	e.Fallback, e.ErrorURL, e.FailedRequest = w.has("fallback"), w.keys["url"], event.Kind(strings.ReplaceAll(w.keys["failed"], " ", "_"))
	switch w.at(1) {
	case "calls":
		e.Kind = event.Arrival
		caller.Banned, caller.Loop = w.has("banned"), w.has("loop")
	case "resumes":
		e.Kind = event.Resume
	case "chooses":
		e.Kind = event.MenuKeys
		if w.at(2) != "nothing" {
			e.Digits = w.at(2)
		}
	case "waits":
		e.Kind, e.QueueSid, e.Tick = event.Tick, cmp.Or(w.keys["queue"], queueSid), s.tick
		s.tick++
	case "presses":
		e.Kind, e.QueueSid, e.Tick, e.Digits = event.HoldKey, queueSid, s.tick, w.at(2)
	case "left":
		e.Step = s.queued
		e.Kind, e.QueueResult, e.QueueTime = event.Left, w.at(2), time.Duration(w.seconds())*time.Second
		if e.QueueResult == "hangup" {
			e.CallStatus = event.StatusCompleted
		}
		if w.has("queue") {
			e.QueueSid = queueSid
		}
	case "voicemail":
		e.Kind = event.Voicemail
	case "recorded":
		e.Kind, e.RecordingSid = event.Recorded, w.keys["sid"]
	case "joins":
		e.Kind = event.Announce
		if id := w.keys["phone"]; id != "" {
			e.DequeuedBy = legSid(id)
		}
	case "status":
		e.Kind, e.CallStatus = event.CallStatus, event.Status(w.at(2))
	default:
		s.fail("a caller does no such thing")
	}
}

// phoneEvent is about a responder's leg.
func (s *script) phoneEvent(e *event.Event, w words) {
	e.Leg = w.at(1)
	e.CallSid, e.Step = legSid(e.Leg), legOf(s.state, e.Leg).Step
	if w.keys["sid"] != "" {
		e.CallSid = w.keys["sid"]
	}
	if w.has("nosid") {
		e.CallSid = ""
	}
	switch w.at(2) {
	case "dialed":
		e.Kind, e.Result = event.Dialed, event.Result(w.at(3))
		if e.Result != event.Done {
			e.CallSid = ""
		}
	case "is":
		e.Kind, e.CallStatus = event.LegStatus, event.Status(w.at(3))
	case "answers":
		e.Kind, e.CallStatus = event.LegAnswer, event.StatusInProgress
	case "presses":
		e.Kind, e.CallStatus = event.LegKey, event.StatusInProgress
		if w.at(3) != "nothing" {
			e.Digits = w.at(3)
		}
	case "ended":
		e.Kind, e.CallStatus = event.LegEnded, event.StatusInProgress
		switch w.at(3) {
		case "bridged":
			e.Bridged = event.BridgeYes
		case "unbridged":
			e.Bridged = event.BridgeNo
		}
	case "looked":
		e.Kind, e.Result, e.CallStatus = event.LookedAtLeg, event.Result(w.at(3)), event.Status(w.at(4))
		if e.Result != event.Done {
			e.CallSid = ""
		}
	default:
		s.fail("a phone does no such thing")
	}
	if url := w.keys["url"]; url != "" {
		e.Fallback, e.ErrorURL = true, url
	}
}

// twilioEvent is a result of a task, or a callback about a recording.
func (s *script) twilioEvent(e *event.Event, w words) {
	e.RecordingSid, e.Result = w.keys["sid"], event.Result(w.at(2))
	switch w.at(1) {
	case "call":
		e.Kind, e.CallStatus = event.LookedAtCall, event.Status(w.at(3))
	case "dequeued":
		e.Kind = event.Dequeued
	case "queue":
		e.Kind = event.QueueDeleted
	case "recording":
		e.Kind, e.RecordingStatus, e.Result = event.Recording, w.at(2), ""
	case "transcript":
		e.Kind, e.Text, e.Result = event.Transcription, w.keys["text"], ""
	case "fetched":
		e.Kind, e.RecordingStatus = event.Fetched, w.at(3)
		if e.Result == event.Done {
			e.RecordingStatus, e.Media = "", &integration.MediaRef{Ref: "media:" + e.RecordingSid, Name: "voicemail.wav", Bytes: 8000, Duration: time.Duration(w.seconds()) * time.Second}
		}
	case "lists":
		e.Kind = event.RecordingsList
		for _, r := range w.plain[min(3, len(w.plain)):] {
			parts := append(strings.Split(r, ":"), "", "")
			seconds, _ := strconv.Atoi(parts[2])
			e.Recordings = append(e.Recordings, event.ListedRecording{Sid: parts[0], Status: parts[1], Seconds: seconds})
		}
	default:
		s.fail("Twilio does no such thing")
	}
}

// platformEvent is a snapshot of the alert, or a refused command.
func (s *script) platformEvent(e *event.Event, w words) {
	if w.at(1) == "refuses" {
		e.Kind = event.CommandFailed
		for _, c := range of[integration.AlertCommand](s.all) {
			if string(c.Kind) == w.at(2) {
				e.Command = &c
			}
		}
		return
	}
	e.Kind = event.Alert
	a := &integration.AlertSnapshot{Status: integration.AlertStatus(w.at(1)), Layer: w.number("layer"), Round: max(1, w.number("round")),
		LastCommand: s.state.Alert.Commands, ReadAt: s.now, Teams: w.list("teams"), Declined: w.list("declined"), Unpaged: w.keys["unpaged"],
		Change: int64(w.number("change"))}
	if w.keys["upto"] != "" {
		a.LastCommand = int64(w.number("upto"))
	}
	if w.keys["read"] != "" {
		at, _ := clock(w.keys["read"])
		a.ReadAt = start.Add(at)
	}
	for _, k := range w.list("acks") {
		id, user, _ := strings.Cut(k, ":")
		user, own, _ := strings.Cut(user, "#")
		command, _ := strconv.Atoi(own)
		a.Acknowledgements = append(a.Acknowledgements, integration.Acknowledgement{ID: id, User: user, At: s.now, Command: int64(command)})
	}
	s.facts.Alert = a
}
