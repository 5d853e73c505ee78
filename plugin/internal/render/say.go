package render

import (
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// speaker turns prompts into verbs, in the instance's language and voice, with its recordings.
type speaker struct {
	language string
	voice    string // "" = the language's own
	sources  map[string]options.Source
	media    map[string]string // public address of each uploaded file
}

// newSpeaker takes what decides how something is said. media may be nil where no file is played.
func newSpeaker(o options.Options, media map[string]string) speaker {
	return speaker{language: o.Language, voice: o.Voice, sources: o.Prompts, media: media}
}

// Say makes the verbs of several prompts.
func (s speaker) Say(ps []reply.Prompt) []twiml.Verb {
	var out []twiml.Verb
	for _, p := range ps {
		out = append(out, s.prompt(p)...)
	}
	return out
}

// The form's own recording comes first, then our words.
func (s speaker) prompt(p reply.Prompt) []twiml.Verb {
	if v := s.source(s.sources[string(p.Key)]); v != nil {
		// Prompts that have a form field are named like it.
		return v
	}
	return s.text(prompts.Text(s.language, prompts.Key(p.Key), prompts.Args{
		Digit: p.Digit, Team: p.Team, Number: p.Number, Called: p.Called, Seconds: p.Seconds, Count: p.Count,
	}))
}

// source plays or says what a form field holds; nil where it holds nothing that can be had.
func (s speaker) source(src options.Source) []twiml.Verb {
	switch {
	case src.URL != "":
		return []twiml.Verb{twiml.Play{URL: src.URL}}
	case src.Media != "" && s.media[src.Media] != "":
		return []twiml.Verb{twiml.Play{URL: s.media[src.Media]}}
	case src.Text != "":
		return s.text(src.Text)
	}
	return nil
}

// text speaks a text, in as many pieces as Twilio's limits ask for.
func (s speaker) text(text string) []twiml.Verb {
	lang, _ := prompts.LanguageByTag(s.language)
	voice := s.voice
	if voice == "" {
		voice = lang.Voice
	}
	var out []twiml.Verb
	for _, piece := range pieces(text) {
		out = append(out, twiml.Say{Voice: voice, Language: lang.Tag, Text: piece})
	}
	return out
}

// maxPiece is how much one Say speaks; well below Twilio's limits, which count differently by
// voice.
const maxPiece = 900

// pieces cuts a text at sentences, else at blanks, else anywhere.
func pieces(text string) []string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	var out []string
	for text != "" {
		n := fitting(text)
		if n < len(text) {
			if i := strings.LastIndexAny(text[:n], ".!?"); i > n/2 {
				n = i + 1
			} else if i := strings.LastIndexByte(text[:n], ' '); i > 0 {
				n = i
			}
		}
		if piece := strings.TrimSpace(text[:n]); piece != "" {
			out = append(out, piece)
		}
		text = strings.TrimSpace(text[n:])
	}
	return out
}

// fitting is how many bytes of a text one Say may hold.
func fitting(text string) int {
	runes, escaped := 0, 0
	for i, r := range text {
		runes++
		escaped += len(url.QueryEscape(string(r)))
		if runes > maxPiece || escaped > twiml.MaxSayURLEscape {
			return i
		}
	}
	return len(text)
}
