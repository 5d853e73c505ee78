package softphone

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

const (
	longestText  = 1000 // characters
	mostSpeeches = 200  // kept; a sentence is some 50 kB
	mostSpeakers = 2    // programs that speak at once
)

// spoken is a piece of speech that was made.
type spoken struct {
	sound twiliosim.Sound
	by    string // the voice's name
}

// speechCache keeps what was spoken; the oldest goes first. The zero value is empty.
type speechCache struct {
	mu    sync.Mutex
	made  map[string]spoken
	order []string
	slots chan struct{}
}

func (c *speechCache) get(key string) (spoken, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.made[key]
	return s, ok
}

func (c *speechCache) put(key string, s spoken) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil {
		c.made = map[string]spoken{}
	}
	if _, known := c.made[key]; !known {
		c.order = append(c.order, key)
	}
	c.made[key] = s
	for len(c.order) > mostSpeeches {
		delete(c.made, c.order[0])
		c.order = c.order[1:]
	}
}

// slot waits for a free place among those who speak; false: ctx ended first.
func (c *speechCache) slot(ctx context.Context) (release func(), ok bool) {
	c.mu.Lock()
	if c.slots == nil {
		c.slots = make(chan struct{}, mostSpeakers)
	}
	slots := c.slots
	c.mu.Unlock()
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, true
	case <-ctx.Done():
		return nil, false
	}
}

// speak makes sound of words, by the page's voice, else as a murmur. An error: ctx ended.
func (p *Page) speak(ctx context.Context, text, language string, person bool) (spoken, string, error) {
	// Line breaks of a document do not change what is heard, so they must not make a new entry
	// either.
	text = strings.Join(strings.Fields(text), " ")
	who := "twilio"
	if person {
		who = "person"
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{p.cfg.Voice.Name(), language, who, text}, "\x00")))
	key := hex.EncodeToString(sum[:])
	if s, ok := p.speech.get(key); ok {
		return s, key, nil
	}
	release, ok := p.speech.slot(ctx)
	if !ok {
		return spoken{}, key, ctx.Err()
	}
	defer release()
	if s, ok := p.speech.get(key); ok { // somebody else wanted the same
		return s, key, nil
	}
	sound, err := p.cfg.Voice.Speak(ctx, text, language, person)
	s := spoken{sound, p.cfg.Voice.Name()}
	if ctx.Err() != nil {
		return spoken{}, key, ctx.Err()
	}
	if err != nil {
		sound, _ = Murmur{}.Speak(ctx, text, language, person)
		return spoken{sound, Murmur{}.Name()}, key, nil // not kept: the voice may come back
	}
	p.speech.put(key, s)
	return s, key, nil
}

// textToSpeech is GET /tts?text=&lang=&who=person: a WAV file. The header X-Voice names the voice.
func (p *Page) textToSpeech(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	text := q.Get("text")
	if problem := textProblem(text); problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	s, key, err := p.speak(r.Context(), text, q.Get("lang"), q.Get("who") == "person")
	if err != nil {
		http.Error(w, "too many speak at once: try again", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "audio/wav")
	w.Header().Set("Cache-Control", "private, max-age=3600")
	w.Header().Set("ETag", `"`+key[:24]+s.by+`"`)
	w.Header().Set("X-Voice", s.by)
	http.ServeContent(w, r, "speech.wav", time.Time{}, bytes.NewReader(s.sound.WAV()))
}

// textProblem says what is wrong with a text in the words of an answer; "" means nothing.
func textProblem(text string) string {
	switch {
	case strings.TrimSpace(text) == "":
		return "text is empty: give the words to speak"
	case !utf8.ValidString(text):
		return "text is not UTF-8"
	case utf8.RuneCountInString(text) > longestText:
		return "text is longer than 1000 characters: shorten it"
	}
	return ""
}

// say is POST /softphone/calls/{call}/say {"words"}: somebody says what was typed, with a voice, so
// that a recording holds it. The request lasts as long as the speech.
func (p *Page) say(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, problem string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": problem})
	}
	call := p.sim.CallBySid(r.PathValue("call"))
	if call == nil {
		fail(http.StatusNotFound, "call "+r.PathValue("call")+": unknown")
		return
	}
	var in struct{ Words string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10)).Decode(&in); err != nil {
		fail(http.StatusBadRequest, "body: "+err.Error())
		return
	}
	if problem := textProblem(in.Words); problem != "" {
		fail(http.StatusUnprocessableEntity, strings.Replace(problem, "text", "words", 1))
		return
	}
	s, _, err := p.speak(r.Context(), in.Words, "en-US", true)
	if err != nil {
		return // the browser has gone
	}
	call.SpeaksSound(strings.Join(strings.Fields(in.Words), " "), s.sound)
	w.WriteHeader(http.StatusNoContent)
}
