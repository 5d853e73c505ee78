// Package audio looks at files that people upload as prompts: what they are and how long they play.
// Only MP3 and WAV are taken, as every telephone carrier plays these. Long ones can be cut into
// slices.
//
//	audio.go  Inspect: type, limits, refusals
//	wav.go    the chunks of a WAV file, and its duration
//	mp3.go    the frames of an MP3 file, and its duration
//	slice.go  cutting a file into pieces that play on from one another
package audio

import (
	"errors"
	"time"

	"github.com/gabriel-vasile/mimetype"
)

// MaxBytes bounds an uploaded file: 16 MiB.
const MaxBytes = 16 << 20

// minDuration is less than anybody hears as a sound. A shorter file as hold music would be asked
// for again without a pause.
const minDuration = 50 * time.Millisecond

// Info says what an audio file is. Both are found by looking at the content.
type Info struct {
	ContentType string // audio/mpeg or audio/wav
	Duration    time.Duration
}

// Refusals of [Inspect], written for the person who uploads.
var (
	ErrEmpty    = errors.New("the file is empty: choose an MP3 or WAV file")
	ErrTooLarge = errors.New("the file is larger than 16 MiB: shorten it, or save it as MP3")
	ErrType     = errors.New("the content of the file is neither MP3 nor WAV: save it as one of these")
	ErrDamaged  = errors.New("the file is damaged or contains no sound: save it again as MP3 or WAV")
)

// Inspect looks at the content, never at a name or a declared type, and refuses what cannot be
// played. Nothing is decoded: a file that a player stumbles over later can pass.
func Inspect(data []byte) (Info, error) {
	if len(data) == 0 {
		return Info{}, ErrEmpty
	}
	if len(data) > MaxBytes {
		return Info{}, ErrTooLarge
	}
	var info Info
	var ok bool
	switch m := mimetype.Detect(data); {
	case m.Is("audio/mpeg"):
		info = Info{ContentType: "audio/mpeg"}
		info.Duration, ok = mp3Duration(data)
	case m.Is("audio/wav"):
		info = Info{ContentType: "audio/wav"}
		info.Duration, ok = wavDuration(data)
	default:
		return Info{}, ErrType
	}
	// | A file without a single frame of sound has no duration.
	if !ok || info.Duration < minDuration {
		return Info{}, ErrDamaged
	}
	return info, nil
}
