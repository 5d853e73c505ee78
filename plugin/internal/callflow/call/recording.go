package call

import (
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Voicemail is the bookkeeping of what the caller records.
type Voicemail struct {
	Offered   bool      `json:"offered,omitempty"` // the recording document was served
	OfferedAt time.Time `json:"offered_at,omitzero"`
	// Times that it was served, two standing for more.
	Offers   int  `json:"offers,omitempty"`
	Finished bool `json:"finished,omitempty"` // Twilio said that a recording stopped
	// Of the call, in the order in which they came to light.
	Recordings []Recording `json:"recordings,omitempty"`
	Absent     bool        `json:"absent,omitempty"` // it is known that nothing was recorded
	// Twilio was asked for the call's recordings.
	Looked bool      `json:"looked,omitempty"`
	LookAt time.Time `json:"look_at,omitzero"` // when they are looked up
	// When what is known is delivered without audio.
	GiveUpAt time.Time `json:"give_up_at,omitzero"`
}

// Recording finds a recording; nil if it is not known.
func (v *Voicemail) Recording(sid string) *Recording {
	for i := range v.Recordings {
		if v.Recordings[i].Sid == sid {
			return &v.Recordings[i]
		}
	}
	return nil
}

// AnyOpen reports whether a recording is known that is neither delivered nor known to hold nothing.
func (v *Voicemail) AnyOpen() bool {
	return slices.ContainsFunc(v.Recordings, func(r Recording) bool { return r.Open() })
}

// Told counts the recordings that were delivered.
func (v *Voicemail) Told() int {
	n := 0
	for i := range v.Recordings {
		if v.Recordings[i].Told {
			n++
		}
	}
	return n
}

// Attached counts the recordings whose audio is kept.
func (v *Voicemail) Attached() int {
	n := 0
	for i := range v.Recordings {
		if v.Recordings[i].Media != nil {
			n++
		}
	}
	return n
}

// Unheard lists the recordings that can be played and that nobody has heard.
func (v *Voicemail) Unheard() []*Recording {
	var out []*Recording
	for i := range v.Recordings {
		if r := &v.Recordings[i]; r.Media != nil && r.Told && !r.Heard && !r.Gone {
			out = append(out, r)
		}
	}
	return out
}

// MayBeMore reports whether there may be a recording that no request named: the caller was asked to
// speak more than once, and Twilio was not asked since.
func (v *Voicemail) MayBeMore() bool { return v.Offers > 1 && !v.Looked }

// DueAt is when recordings are to be looked for, or not to be waited for any longer.
func (v *Voicemail) DueAt() time.Time {
	if l := v.LookAt; !l.IsZero() && l.Before(v.GiveUpAt) {
		return l
	}
	return v.GiveUpAt
}

// Recording is one recording of the call.
type Recording struct {
	Sid         string `json:"sid"`
	Seconds     int    `json:"seconds,omitempty"`
	Absent      bool   `json:"absent,omitempty"`   // Twilio says that it holds nothing
	Failed      bool   `json:"failed,omitempty"`   // Twilio says that recording failed
	Fetching    bool   `json:"fetching,omitempty"` // its audio was asked for
	Media       *Media `json:"media,omitempty"`    // where the host keeps the audio
	Told        bool   `json:"told,omitempty"`     // delivered, with or without audio
	Transcribed bool   `json:"transcribed,omitempty"`
	Transcript  string `json:"transcript,omitempty"` // until the mail is sent
	Heard       bool   `json:"heard,omitempty"`      // somebody has listened to it on the phone
	// The host does not have the audio any more, or it cannot be played.
	Gone bool `json:"gone,omitempty"`
}

// Open reports whether it is still to be found out what a recording holds.
func (r *Recording) Open() bool { return !r.Told && !r.Absent && !r.Failed }

// Length is how long a recording is, as far as it is known.
func (r *Recording) Length() time.Duration {
	if r.Media != nil && r.Media.Duration > 0 {
		return r.Media.Duration
	}
	return time.Duration(r.Seconds) * time.Second
}

// Delivery is the bookkeeping of the way of a call's messages to somebody who hears them.
type Delivery struct {
	// When the newest message was there to be heard; zero: nobody is rung for one.
	Since time.Time `json:"since,omitzero"`
	EndBy time.Time `json:"end_by,omitzero"` // when the platform is no longer waited for
	// Layer is the last layer whose people are rung, Round the alert's round that counts; 0: not
	// known yet.
	Layer int `json:"layer,omitempty"`
	Round int `json:"round,omitempty"`
	// Acks are the acknowledgements by which it was last decided who is rung.
	Acks []string `json:"acks,omitempty"`
	// Who is to be rung has changed, and was not read since.
	Unread bool `json:"unread,omitempty"`
	// The next layer that has anybody on call, as last read; 0: none.
	Next int `json:"next,omitempty"`
	// It was decided what follows from everybody having been rung.
	Judged bool `json:"judged,omitempty"`
	// GoneSince is since when the platform says that it does not have a team of the call; zero: it
	// has all.
	GoneSince time.Time `json:"gone_since,omitzero"`
}

// Media names a stored recording. It has the fields of [integration.MediaRef], and names of its own
// in JSON.
type Media struct {
	Ref         string        `json:"ref"`
	Name        string        `json:"name,omitempty"`
	ContentType string        `json:"content_type,omitempty"`
	Bytes       int64         `json:"bytes,omitempty"`
	Duration    time.Duration `json:"duration,omitempty"`
}

// Reference is the medium in the contract's words; nil for nil.
func (m *Media) Reference() *integration.MediaRef {
	if m == nil {
		return nil
	}
	ref := integration.MediaRef(*m)
	return &ref
}
