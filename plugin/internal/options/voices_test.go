package options

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/schema"
)

// spoken loads a document with a language and a voice, and returns what is said of the voice.
func spoken(t *testing.T, language, voice string) (problems, warnings []integration.Problem, used string) {
	t.Helper()
	r := Load(doc(map[string]any{"language": language, "voice": voice}), 1, Context{})
	of := func(list []integration.Problem) []integration.Problem {
		return slices.DeleteFunc(slices.Clone(list), func(p integration.Problem) bool { return p.Path != "voice" })
	}
	return of(r.Problems), of(r.Warnings), r.Options.Voice
}

func TestAVoiceOfAnotherLanguageIsRefusedWithThoseThatFit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ language, voice, instead string }{
		{"en-AU", "Polly.Hans", "Polly.Olivia-Neural"},
		{"de-DE", "man", "Polly.Vicki-Neural"},
		{"de-DE", "Polly.Joanna-Neural", "Polly.Daniel-Neural"},
		{"en-US", "Polly.Amy-Neural", "Polly.Joanna-Neural"},
		{"fr-CA", "Polly.Lea-Neural", "Polly.Gabrielle-Neural"},
		{"es-MX", "Google.es-ES-Neural2-A", "Polly.Mia-Neural"},
		{"en-US", "Polly.Zhiyu", "Polly.Matthew-Neural"},
		{"en-US", "Polly.Hans-Neural", "Polly.Joanna-Neural"},
	} {
		problems, warnings, used := spoken(t, c.language, c.voice)
		if len(problems) != 1 || problems[0].Code != "conflict" || !strings.Contains(problems[0].Message, c.instead) || len(warnings) > 0 {
			t.Errorf("%s with %s: problems %+v, warnings %+v; want a refusal that names %s", c.language, c.voice, problems, warnings, c.instead)
		}
		if used != "" {
			t.Errorf("%s with %s: calls would be spoken to by %q, which says nothing", c.language, c.voice, used)
		}
	}
}

func TestAVoiceOfTheLanguageIsTaken(t *testing.T) {
	t.Parallel()
	for voice, language := range map[string]string{
		"Polly.Vicki": "de-DE", "Polly.Vicki-Neural": "de-DE", "Polly.Vicki-Generative": "de-DE", "Polly.Hans": "de-DE", "woman": "en-US",
		"Google.de-DE-Chirp3-HD-Charon": "de-DE", "Google.en-AU-Standard-B": "en-AU", "Google.fr-FR-Neural2-C": "fr-FR",
	} {
		if problems, warnings, used := spoken(t, language, voice); len(problems)+len(warnings) > 0 || used != voice {
			t.Errorf("%s with %s: problems %+v, warnings %+v, used %q", language, voice, problems, warnings, used)
		}
	}
}

func TestAnUnknownVoiceIsAWarning(t *testing.T) {
	t.Parallel()
	for voice, language := range map[string]string{"Polly.Newcomer-Neural": "en-US", "Polly.Hans-Neural": "de-DE", "Google.en-US-Future-A": "en-US"} {
		problems, warnings, used := spoken(t, language, voice)
		if len(problems) > 0 || len(warnings) != 1 || warnings[0].Code != "unknown" || used != voice {
			t.Errorf("%s with %s: problems %+v, warnings %+v, used %q", language, voice, problems, warnings, used)
		}
	}
}

func TestTheFormOffersTheNeuralVoicesOfEveryLanguage(t *testing.T) {
	t.Parallel()
	var doc struct {
		Properties map[string]struct {
			Enum     []string `json:"enum"`
			Examples []any    `json:"examples"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(schema.Options(), &doc); err != nil {
		t.Fatal(err)
	}
	var want []any
	for _, v := range pollyVoices {
		for _, name := range v.names() {
			if strings.HasSuffix(name, "-Neural") {
				want = append(want, name)
			}
		}
	}
	if diff := cmp.Diff(want, doc.Properties["voice"].Examples); diff != "" {
		t.Errorf("the form's voices (-table +form):\n%s", diff)
	}
	for _, language := range doc.Properties["language"].Enum {
		if len(voicesFor(language)) == 0 {
			t.Errorf("no voice speaks %s", language)
		}
	}
}
