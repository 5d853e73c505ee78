package twiliosim

import (
	"errors"
	"fmt"
	"io"
	"net/http"
)

// largestSpeech bounds an uploaded speech: two minutes of 48 kHz stereo do not fit, telephone sound does many times.
const largestSpeech = 8 << 20

// controlSpeech is PUT /sim/calls/{call}/speech?words=: a WAV file. It ends a speech that POST began, or else is spoken
// now, and the request lasts as long as that takes. Errors: 404 call, 413 too large, 415 no WAV file.
func (s *Sim) controlSpeech(r *http.Request) (any, *controlError) {
	c := s.CallBySid(r.PathValue("call"))
	if c == nil {
		return nil, refuse(http.StatusNotFound, fmt.Errorf("call %s: unknown", r.PathValue("call")))
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, largestSpeech))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, refuse(http.StatusRequestEntityTooLarge, fmt.Errorf("body: larger than %d bytes: send 8 kHz mono, or less", largestSpeech))
		}
		return nil, refuse(http.StatusBadRequest, fmt.Errorf("body: %w", err))
	}
	sound, err := ParseWAV(body)
	if err != nil {
		return nil, refuse(http.StatusUnsupportedMediaType, fmt.Errorf("body: %w", err))
	}
	if words := r.URL.Query().Get("words"); !c.StopsSpeaking(words, sound) {
		if words == "" {
			words = "(voice)"
		}
		c.SpeaksSound(words, sound)
	}
	return c.View(false), nil
}
