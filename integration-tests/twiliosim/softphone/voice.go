package softphone

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// Voice makes sound of words.
type Voice interface {
	// Name is for people: how it is done.
	Name() string
	// Speak reads text in a language (BCP 47, such as en-US). person: somebody says it, not Twilio.
	Speak(ctx context.Context, text, language string, person bool) (twiliosim.Sound, error)
}

// FindVoice is espeak-ng where it is installed, else Murmur.
func FindVoice() Voice {
	if path, err := exec.LookPath("espeak-ng"); err == nil {
		return espeak{path}
	}
	return Murmur{}
}

// espeak speaks by running a program; path is where it was found.
type espeak struct{ path string }

func (espeak) Name() string { return "espeak-ng" }

// languagePattern is what may become the argument of a flag. Anything else is read in English: it
// comes from the document of the program under test.
var languagePattern = regexp.MustCompile(`^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})?$`)

// speakTime bounds one run of espeak-ng, which needs some ten milliseconds a sentence.
const speakTime = 10 * time.Second

// Speak runs espeak-ng. The text goes to its standard input, where nothing is taken for a flag.
func (e espeak) Speak(ctx context.Context, text, language string, person bool) (twiliosim.Sound, error) {
	if !languagePattern.MatchString(language) {
		language = "en-us"
	}
	ctx, cancel := context.WithTimeout(ctx, speakTime)
	defer cancel()
	pitch := "55"
	if person {
		pitch = "35"
	}
	// A voice of the country comes first, then that of the language: espeak-ng does not know every
	// country's.
	var last error
	language = strings.ToLower(language)
	tried := []string{language}
	if base, _, regional := strings.Cut(language, "-"); regional {
		tried = append(tried, base)
	}
	for _, voice := range tried {
		cmd := exec.CommandContext(ctx, e.path, "-v", voice, "-p", pitch, "-s", "165", "--stdin", "--stdout")
		cmd.Stdin = strings.NewReader(text)
		var out, complaint bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &complaint
		if last = cmd.Run(); last != nil {
			last = fmt.Errorf("espeak-ng: %w: %s", last, strings.TrimSpace(complaint.String()))
			continue
		}
		sound, err := twiliosim.ParseWAV(out.Bytes())
		if err == nil {
			return sound, nil
		}
		last = fmt.Errorf("espeak-ng: %w", err)
	}
	return nil, last
}

// Murmur is a voice without words: soft tones that rise and fall with the syllables. It needs
// nothing installed, and takes as long as speech does.
type Murmur struct{}

// Name implements Voice.
func (Murmur) Name() string { return "murmur" }

// Speak implements Voice; it never fails.
func (Murmur) Speak(_ context.Context, text, _ string, person bool) (twiliosim.Sound, error) {
	const letter = twiliosim.SoundRate * 65 / 1000 // samples
	pitch := 210.0
	if person {
		pitch = 130
	}
	var out twiliosim.Sound
	phase := 0.0
	for _, r := range text {
		loud := 0.0
		switch {
		case strings.ContainsRune("aeiouyAEIOUYäöüáéíóúàè", r):
			loud = 2600
		case unicode.IsLetter(r), unicode.IsDigit(r):
			loud = 1100
		}
		step := pitch * (1 + float64(r%7)/25)
		for i := range letter {
			phase += 2 * math.Pi * step / twiliosim.SoundRate
			shape := math.Sin(math.Pi * float64(i) / letter)
			out = append(out, int16(loud*shape*(math.Sin(phase)+0.3*math.Sin(2*phase))))
		}
	}
	return out, nil
}
