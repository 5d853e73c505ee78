package prompts

import "strings"

// Language is a language that prompts can be spoken in.
type Language struct {
	Tag   string // BCP 47, as Twilio's language attribute takes it
	Name  string // for people
	Voice string // neural voice of that language (Twilio docs: voice/twiml/say/text-speech)
	texts string // file in texts/
}

// languages in the order of the form. Variants of a language share their texts and differ in voice.
var languages = []Language{
	{"en-US", "English (United States)", "Polly.Joanna-Neural", "en"},
	{"en-GB", "English (United Kingdom)", "Polly.Amy-Neural", "en"},
	{"en-AU", "English (Australia)", "Polly.Olivia-Neural", "en"},
	{"de-DE", "German (Germany)", "Polly.Vicki-Neural", "de"},
	{"fr-FR", "French (France)", "Polly.Lea-Neural", "fr"},
	{"fr-CA", "French (Canada)", "Polly.Gabrielle-Neural", "fr"},
	{"es-ES", "Spanish (Spain)", "Polly.Lucia-Neural", "es"},
	{"es-US", "Spanish (United States)", "Polly.Lupe-Neural", "es"},
	{"es-MX", "Spanish (Mexico)", "Polly.Mia-Neural", "es"},
}

// DefaultLanguage is spoken where no language is chosen, as in the fixed answers.
const DefaultLanguage = "en-US"

// Languages lists the languages on offer in the order of the form.
func Languages() []Language { return append([]Language(nil), languages...) }

// LanguageByTag finds a language. For an unknown tag it returns the default language and false, so
// that a call is spoken to in any case.
func LanguageByTag(tag string) (Language, bool) {
	for _, l := range languages {
		if strings.EqualFold(l.Tag, tag) {
			return l, true
		}
	}
	return languages[0], false
}
