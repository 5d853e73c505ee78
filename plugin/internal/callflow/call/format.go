package call

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Format is the number of the newest layout of [State] that this version writes. It reads that and
// the one before: an upgrade happens while calls run. Fields may be added without a new number, as
// long as their zero value means what their absence meant; a host of the release before drops them
// when it writes the state.
const Format = 3

// FormatDelivery is the format that brought [PhaseDelivering]. While a release that does not know
// it may have to read what is written, no call enters that phase.
const FormatDelivery = 3

// oldestWritten is the oldest format that this version writes.
const oldestWritten = 2

// Write writes a state for whoever reads formats up to newest, 0: up to [Format]. It returns the
// bytes and their format. What an older format cannot say, such as a new phase, begins only where
// Facts.WriteFormats allows a format that can; a state in which it has begun is written in that
// format, whatever newest is.
func Write(s State, newest int) (data []byte, format int, err error) {
	if s.Format = Format; newest > 0 && s.Phase != PhaseDelivering {
		s.Format = min(Format, max(newest, oldestWritten))
	}
	data, err = json.Marshal(s)
	return data, s.Format, err
}

// states are for Read: JSON is not read into what is on the stack.
var states = sync.Pool{New: func() any { return new(State) }}

// Read reads a stored state of a format from 1 to [Format]. The error says that the bytes are no
// state, or are of a newer format, which must not be misread.
func Read(data []byte, format int) (State, error) {
	if format > Format {
		return State{}, fmt.Errorf("the state has format %d; this version reads up to %d", format, Format)
	}
	into := states.Get().(*State)
	err := json.Unmarshal(data, into)
	s := *into
	*into = State{}
	states.Put(into)
	if err != nil {
		return s, err
	}
	if format < 2 && s.Phase != "" {
		var old state1
		if err := json.Unmarshal(data, &old); err != nil {
			return s, err
		}
		old.upgrade(&s)
	}
	return s, nil
}

// state1 holds what format 1 said in other words: who was to be rung was kept with each leg, and
// acknowledgements of ours were known by their user. It knew one recording a call.
type state1 struct {
	Alert struct {
		RungLayer int      `json:"rung_layer"`
		OwnLayer  int      `json:"own_layer"`
		OwnAcks   []string `json:"own_acks"`
	} `json:"alert"`
	Legs []struct {
		More     []string  `json:"more"`
		AckedAt  time.Time `json:"acked_at"`
		Occupied bool      `json:"occupied"`
	} `json:"legs"`
	Voicemail struct {
		RecordingSid string `json:"recording_sid"`
		Absent       bool   `json:"absent"`
		Seconds      int    `json:"seconds"`
		Fetching     bool   `json:"fetching"`
		Media        *Media `json:"media"`
		Mailed       bool   `json:"mailed"`
		Transcribed  bool   `json:"transcribed"`
		Transcript   string `json:"transcript"`
	} `json:"voicemail"`
}

// upgrade adds to s what follows from the words of format 1. s already holds the fields that both
// formats share.
func (old state1) upgrade(s *State) {
	s.Format = Format
	s.Caller.Withheld = s.Caller.Number == "" && s.Caller.Address == ""
	if !s.TalkOverAt.IsZero() {
		s.VerdictBy = s.TalkOverAt.Add(VerdictLimit)
	}
	// Format 1 rang layers in order, so every layer up to the last was brought in.
	for n := 1; n <= max(old.Alert.RungLayer, old.Alert.OwnLayer); n++ {
		s.Alert.Reached = append(s.Alert.Reached, n)
	}
	for _, k := range s.Alert.Acks {
		if slices.Contains(old.Alert.OwnAcks, k.User) {
			s.Alert.OwnAcks = append(s.Alert.OwnAcks, k.ID)
		}
	}
	old.upgradeRecording(&s.Voicemail)
	if s.Phase == PhaseEnded && !s.Voicemail.AnyOpen() {
		s.Voicemail.LookAt, s.Voicemail.GiveUpAt = time.Time{}, time.Time{}
	}
	var legs []Leg
	for i, l := range s.Legs {
		was := old.Legs[i]
		// A leg that waited for its person's other call: format 2 keeps that with the person,
		// without a leg.
		occupied := was.Occupied && l.State == LegPlanned
		if !occupied {
			legs = append(legs, l)
			s.Numbers = append(s.Numbers, Number{Phone: l.Phone, DialedAt: l.DialAt, EndedAt: l.EndedAt, Reason: l.Reason, Rings: 1})
		}
		p := Person{User: l.User, Name: l.Name, Phones: append([]string{l.Phone}, was.More...), Layer: l.Layer, OnCall: l.Layer > 0}
		p.Passed = l.Reason == ReasonPassed
		if l.Live() && l.Ack != "" {
			p.Acks = []string{l.Ack}
		}
		if occupied {
			// Which call it was is not known; the next look finds out.
			p.OccupiedBy, p.LookAt, p.TurnAt = "another call", l.DialAt, l.PlannedAt
		} else {
			p.NoteDial(l.Phone, l.PlannedAt)
		}
		if !slices.ContainsFunc(s.People, func(o Person) bool { return o.User == p.User }) {
			s.People = append(s.People, p)
		}
	}
	s.Legs = legs
}

// upgradeRecording makes a list of the one recording.
func (old state1) upgradeRecording(v *Voicemail) {
	was := old.Voicemail
	if v.Offered {
		v.Offers = 1
	}
	if was.RecordingSid == "" {
		return
	}
	v.Recordings = []Recording{{
		Sid: was.RecordingSid, Seconds: was.Seconds, Absent: was.Absent, Fetching: was.Fetching, Media: was.Media, Told: was.Mailed,
		Transcribed: was.Transcribed, Transcript: was.Transcript,
	}}
}
