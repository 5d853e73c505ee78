package options

import (
	"regexp"
	"slices"
	"strings"
)

// pollyVoice is a speaker of Amazon Polly and the engines that Twilio offers them with. The tables
// are no list of what is allowed: a name that is not here may be new.
type pollyVoice struct {
	name     string
	language string
	// engines are letters: s standard ("Polly.Amy"), n neural ("Polly.Amy-Neural"), g generative
	// ("Polly.Amy-Generative").
	engines string
}

// pollyVoices are the speakers of the languages of the form (Twilio docs:
// voice/twiml/say/text-speech, available voices). The neural one that comes first in a language is
// the one that the prompts use by themselves.
var pollyVoices = []pollyVoice{
	{"Joanna", "en-US", "sng"}, {"Matthew", "en-US", "sng"}, {"Danielle", "en-US", "ng"}, {"Ruth", "en-US", "ng"},
	{"Stephen", "en-US", "ng"}, {"Gregory", "en-US", "n"}, {"Kendra", "en-US", "sn"}, {"Kimberly", "en-US", "sn"},
	{"Salli", "en-US", "sn"}, {"Joey", "en-US", "sn"}, {"Ivy", "en-US", "sn"}, {"Justin", "en-US", "sn"}, {"Kevin", "en-US", "n"},
	{"Amy", "en-GB", "sng"}, {"Emma", "en-GB", "sn"}, {"Brian", "en-GB", "sn"}, {"Arthur", "en-GB", "n"},
	{"Olivia", "en-AU", "ng"}, {"Nicole", "en-AU", "s"}, {"Russell", "en-AU", "s"},
	{"Vicki", "de-DE", "sng"}, {"Daniel", "de-DE", "ng"}, {"Hans", "de-DE", "s"}, {"Marlene", "de-DE", "s"},
	{"Lea", "fr-FR", "sng"}, {"Remi", "fr-FR", "ng"}, {"Celine", "fr-FR", "s"}, {"Mathieu", "fr-FR", "s"},
	{"Gabrielle", "fr-CA", "n"}, {"Liam", "fr-CA", "n"}, {"Chantal", "fr-CA", "s"},
	{"Lucia", "es-ES", "sng"}, {"Sergio", "es-ES", "ng"}, {"Conchita", "es-ES", "s"}, {"Enrique", "es-ES", "s"},
	{"Lupe", "es-US", "sng"}, {"Pedro", "es-US", "ng"}, {"Miguel", "es-US", "s"}, {"Penelope", "es-US", "s"},
	{"Mia", "es-MX", "sng"}, {"Andres", "es-MX", "ng"},
}

// foreignSpeakers are the speakers of languages that the form does not offer, without engines: it
// is enough to know that they do not fit.
var foreignSpeakers = strings.Fields(`Aditi Adriano Aria Arlet Astrid Ayanda Bianca Burcu Camila Carla Carmen
Cristiano Dora Elin Ewa Filiz Geraint Giorgio Gwyneth Hala Hannah Hiujin Ida Ines Isabelle Jacek Jan Kajal Karl
Kazuha Laura Lisa Liv Lotte Mads Maja Maxim Mizuki Naja Niamh Ola Raveena Ricardo Ruben Seoyeon Sofie Suvi
Takumi Tatyana Thiago Tomoko Vitoria Zayd Zeina Zhiyu`)

// basicLanguages are those that Twilio's own voices, man and woman, speak among the form's.
var basicLanguages = []string{"en-US", "en-GB", "es-US"}

// googleVoice is the name of one of Google's: its language, its family, its letter or name.
var googleVoice = regexp.MustCompile(`^Google\.([a-z]{2,3}-[A-Z]{2,3})-(Standard|Wavenet|Neural2|News|Studio|Journey|Polyglot|Chirp-HD|Chirp3-HD)-[A-Za-z]+$`)

// engineSuffixes are what a name ends in for each engine.
var engineSuffixes = map[byte]string{'s': "", 'n': "-Neural", 'g': "-Generative"}

// names are the speaker's voices. They come in the order of engines in the table.
func (v pollyVoice) names() []string {
	var out []string
	for i := range len(v.engines) {
		out = append(out, "Polly."+v.name+engineSuffixes[v.engines[i]])
	}
	return out
}

// fit is whether a voice speaks a language.
type fit int

const (
	unknownVoice fit = iota // a name that is not in the tables: Twilio adds voices
	speaks
	speaksAnother
)

// fits looks a voice up. Only what is certainly wrong is speaksAnother.
func fits(voice, language string) fit {
	is := func(yes bool) fit {
		if yes {
			return speaks
		}
		return speaksAnother
	}
	// Twilio's basic voices take their language from the document.
	if voice == "man" || voice == "woman" {
		return is(slices.Contains(basicLanguages, language))
	}
	if m := googleVoice.FindStringSubmatch(voice); m != nil {
		return is(m[1] == language)
	}
	name, polly := strings.CutPrefix(voice, "Polly.")
	if !polly {
		return unknownVoice
	}
	name, _, _ = strings.Cut(name, "-")
	for _, v := range pollyVoices {
		switch {
		case v.name != name:
		case v.language != language:
			return speaksAnother // whatever the engine
		case slices.Contains(v.names(), voice):
			return speaks
		}
	}
	if slices.Contains(foreignSpeakers, name) {
		return speaksAnother
	}
	return unknownVoice
}

// voicesFor lists voices of a language, neural ones first. It is the remedy in a message, so the
// best come first.
func voicesFor(language string) []string {
	var neural, others []string
	for _, v := range pollyVoices {
		if v.language != language {
			continue
		}
		for _, name := range v.names() {
			if strings.HasSuffix(name, "-Neural") {
				neural = append(neural, name)
			} else {
				others = append(others, name)
			}
		}
	}
	return append(neural, others...)
}

// checkVoice refuses a voice that speaks another language: Twilio would say nothing at all (Twilio
// docs: voice/twiml/say). A voice that is not in the tables is a warning. It is silent where voice
// or language have a problem already.
func (p *problems) checkVoice(voice, language string) {
	if voice == "" || p.has("voice") || p.has("language") {
		return
	}
	name := language
	if i := slices.Index(form().fields["language"].Enum, language); i >= 0 {
		name = form().fields["language"].Titles[i]
	}
	switch fits(voice, language) {
	case speaks:
	case speaksAnother:
		p.add("voice", "conflict", "%s does not speak %s, so callers would hear nothing. These do: %s. Or leave it empty.",
			title("voice"), name, strings.Join(voicesFor(language), ", "))
	case unknownVoice:
		p.warn("voice", "unknown", "%s is none that is known for %s. If Twilio does not have it, callers hear nothing; known are %s.",
			title("voice"), name, strings.Join(voicesFor(language), ", "))
	}
}

// languageOf is the language of a document, or the form's default. It is asked before defaults are
// filled in.
func languageOf(known map[string]any) string {
	if s, _ := known["language"].(string); s != "" {
		return s
	}
	s, _ := form().fields["language"].Default.(string)
	return s
}
