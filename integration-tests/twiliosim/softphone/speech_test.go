package softphone

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

func tts(text, lang string) string {
	return "/tts?" + url.Values{"text": {text}, "lang": {lang}}.Encode()
}

func TestTextToSpeech(t *testing.T) {
	t.Parallel()
	voice := newVoice()
	s := newStage(t, Config{Voice: voice}, documents(nil))
	got := s.get(tts("  Press 1\n for Support. ", "en-US"))
	if got.code != http.StatusOK || got.header.Get("Content-Type") != "audio/wav" || got.header.Get("X-Voice") != "fake" {
		t.Fatalf("HTTP %d %v", got.code, got.header)
	}
	sound, err := twiliosim.ParseWAV([]byte(got.body))
	if err != nil || len(sound) != 1600 {
		t.Errorf("%d samples, %v", len(sound), err)
	}
	if s.get(tts("Press 1 for Support.", "en-US")).body != got.body {
		t.Error("the same words sound different")
	}
	if again := s.ask(http.MethodGet, tts("Press 1 for Support.", "en-US"), "", "If-None-Match", got.header.Get("ETag")); again.code != http.StatusNotModified {
		t.Errorf("HTTP %d to a browser that has it, want 304", again.code)
	}
	if part := s.ask(http.MethodGet, tts("Press 1 for Support.", "en-US"), "", "Range", "bytes=0-3"); part.code != http.StatusPartialContent || part.body != "RIFF" {
		t.Errorf("HTTP %d %q to a range: browsers cannot seek", part.code, part.body)
	}
	if n := len(voice.asked); n != 1 {
		t.Errorf("it was spoken %d times, want 1 and then from memory", n)
	}
	if asked := <-voice.asked; asked != "en-US:Press 1 for Support." {
		t.Errorf("spoken: %q", asked)
	}
	s.get(tts("Press 1 for Support.", "de-DE"))
	if n := len(voice.asked); n != 1 {
		t.Errorf("another language was spoken %d times, want 1", n)
	}
}

func TestTextToSpeechRefuses(t *testing.T) {
	t.Parallel()
	voice := newVoice()
	s := newStage(t, Config{Voice: voice}, documents(nil))
	for name, text := range map[string]string{"nothing": "", "blanks": " \n\t", "too much": strings.Repeat("a", longestText+1), "no text": "\xff\xfe"} {
		if got := s.get(tts(text, "en-US")); got.code != http.StatusBadRequest {
			t.Errorf("%s: HTTP %d, want 400", name, got.code)
		}
	}
	if got := s.get(tts(strings.Repeat("ü", longestText), "en-US")); got.code != http.StatusOK {
		t.Errorf("the longest text: HTTP %d", got.code)
	}
	if len(voice.asked) != 1 {
		t.Error("what was refused was spoken")
	}
}

// TestMurmur: where the voice fails there is a sound nevertheless, as long as the words, and the
// voice is asked again.
func TestMurmur(t *testing.T) {
	t.Parallel()
	voice := newVoice()
	voice.err = errDumb
	s := newStage(t, Config{Voice: voice}, documents(nil))
	text := "Please wait while we reach the person on call."
	for range 2 {
		got := s.get(tts(text, "en-US"))
		sound, err := twiliosim.ParseWAV([]byte(got.body))
		if got.code != http.StatusOK || got.header.Get("X-Voice") != "murmur" || err != nil {
			t.Fatalf("HTTP %d %v %v", got.code, got.header, err)
		}
		if d := sound.Length(); d < 2*time.Second || d > 5*time.Second {
			t.Errorf("%q murmurs for %v", text, d)
		}
		loud := int16(0)
		for _, v := range sound {
			loud = max(loud, v)
		}
		if loud < 500 || loud > 8000 {
			t.Errorf("it is %d loud, want soft but heard", loud)
		}
	}
	if len(voice.asked) != 2 {
		t.Errorf("the voice was asked %d times, want 2", len(voice.asked))
	}
}

func TestCacheForgets(t *testing.T) {
	t.Parallel()
	var c speechCache
	for i := range mostSpeeches + 3 {
		c.put(string(rune('0'+i)), spoken{})
		c.put(string(rune('0'+i)), spoken{by: "again"})
	}
	if len(c.made) != mostSpeeches || len(c.order) != mostSpeeches {
		t.Errorf("%d kept, %d in order, want %d", len(c.made), len(c.order), mostSpeeches)
	}
	if _, ok := c.get("0"); ok {
		t.Error("the oldest is kept")
	}
	if got, ok := c.get(string(rune('0' + mostSpeeches + 2))); !ok || got.by != "again" {
		t.Error("the latest is not kept")
	}
}

// TestSpeakersAreFew: a third speaker waits, and gives up with its browser.
func TestSpeakersAreFew(t *testing.T) {
	t.Parallel()
	var c speechCache
	for range mostSpeakers {
		release, ok := c.slot(t.Context())
		if !ok {
			t.Fatal("no place")
		}
		defer release()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := c.slot(ctx); ok {
		t.Error("there are more places than speakers")
	}
}

// TestEspeak runs the true voice through a program that notes how it was called.
func TestEspeak(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	dir := t.TempDir()
	wav := filepath.Join(dir, "out.wav")
	if err := os.WriteFile(wav, make(twiliosim.Sound, 800).WAV(), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "espeak-ng")
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >>'" + dir + "/args'\ncat >>'" + dir + "/text'\ncase \"$*\" in *xx-yy*) exit 1;; *zz*) echo broken; exit 0;; esac\ncat '" + wav + "'\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil { //nolint:gosec // it must run
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	voice := FindVoice()
	if voice.Name() != "espeak-ng" {
		t.Fatalf("voice %s", voice.Name())
	}
	hostile := `--path=/etc; $(touch x)`
	for _, language := range []string{"en-US", "xx-YY", "--stdout -w /x"} {
		sound, err := voice.Speak(t.Context(), hostile, language, true)
		if err != nil || len(sound) != 800 {
			t.Errorf("%s: %d samples, %v", language, len(sound), err)
		}
	}
	args, err := os.ReadFile(filepath.Join(dir, "args"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-v\nen-us\n", "-v\nxx-yy\n", "-v\nxx\n", "--stdin\n"} {
		if !strings.Contains(string(args), want) {
			t.Errorf("arguments lack %q:\n%s", want, args)
		}
	}
	if strings.Contains(string(args), "/etc") || strings.Contains(string(args), "-w") {
		t.Errorf("text or language became arguments:\n%s", args)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "text")); !strings.HasPrefix(string(text), hostile) {
		t.Errorf("text %q", text)
	}
	if _, err := voice.Speak(t.Context(), "hello", "zz", false); err == nil {
		t.Error("no sound is no error")
	}

	t.Setenv("PATH", t.TempDir())
	if v := FindVoice(); v.Name() != "murmur" {
		t.Errorf("without espeak-ng the voice is %s", v.Name())
	}
}

// TestSay: what is typed is spoken, and a recording holds the voice.
func TestSay(t *testing.T) {
	t.Parallel()
	s := newStage(t, Config{}, documents(map[string]string{
		"/voice": `<Record action="/done" playBeep="false" finishOnKey="#" timeout="20"/>`, "/done": "<Hangup/>"}))
	c := s.call()
	s.event(func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventRecording && e.Text == "in-progress" })
	path := "/softphone/calls/" + c.Sid + "/say"
	if got := s.ask(http.MethodPost, path, `{"words":"Please call\nback"}`); got.code != http.StatusNoContent {
		t.Fatalf("HTTP %d %s", got.code, got.body)
	}
	for name, want := range map[string]struct {
		path, body string
		code       int
	}{
		"unknown call": {"/softphone/calls/CA0/say", `{"words":"x"}`, http.StatusNotFound},
		"no words":     {path, `{"words":" "}`, http.StatusUnprocessableEntity},
		"no JSON":      {path, `words`, http.StatusBadRequest},
		"too large":    {path, `{"words":"` + strings.Repeat("a", 20<<10) + `"}`, http.StatusBadRequest},
	} {
		got := s.ask(http.MethodPost, want.path, want.body)
		if got.code != want.code || !strings.Contains(got.body, `"error"`) {
			t.Errorf("%s: HTTP %d %s, want %d", name, got.code, got.body, want.code)
		}
	}
	if got := s.ask(http.MethodPost, path, `{"words":"x"}`, "Origin", "http://evil.example.com"); got.code != http.StatusForbidden {
		t.Errorf("from another origin: HTTP %d, want 403", got.code)
	}
	c.Presses("#")
	e := s.event(func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventRecording && e.Text == "completed" })
	s.event(func(e twiliosim.Event) bool {
		return e.Kind == twiliosim.EventSpoke && e.Text == "Please call back"
	})
	got := s.get("/softphone/recordings/" + e.Note + ".wav")
	sound, err := twiliosim.ParseWAV([]byte(got.body))
	if got.code != http.StatusOK || got.header.Get("Content-Type") != "audio/wav" || err != nil {
		t.Fatalf("HTTP %d %v %v", got.code, got.header, err)
	}
	voice := 0
	for _, v := range sound {
		if v == 4321 {
			voice++
		}
	}
	if voice != 1600 {
		t.Errorf("the recording holds %d samples of the voice, want 1600", voice)
	}
	for _, p := range []string{"/softphone/recordings/" + e.Note, "/softphone/recordings/RE0.wav"} {
		if got := s.get(p); got.code != http.StatusNotFound {
			t.Errorf("%s: HTTP %d, want 404", p, got.code)
		}
	}
}
