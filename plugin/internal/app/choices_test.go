package app

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	hostform "github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
	"github.com/livecallrouting/livecall/schema"
)

// TestChoicesOfTheFormExist compares the form's lists of regions and languages with those that the
// code knows: a choice that only the form had would fail when a call comes.
func TestChoicesOfTheFormExist(t *testing.T) {
	t.Parallel()
	f, err := hostform.Parse(schema.Options())
	if err != nil {
		t.Fatal(err)
	}
	var regions, languages []hostform.Choice
	for _, r := range twilio.Regions() {
		regions = append(regions, hostform.Choice{Value: r.ID, Title: r.Name})
	}
	for _, l := range prompts.Languages() {
		languages = append(languages, hostform.Choice{Value: l.Tag, Title: l.Name})
	}
	for key, want := range map[string][]hostform.Choice{"api_region": regions, "language": languages} {
		field, _ := f.Field(key)
		if diff := cmp.Diff(want, field.Choices); diff != "" {
			t.Errorf("%s (-code +form):\n%s", key, diff)
		}
	}
}

func TestTheVoiceOfEachLanguageSpeaksIt(t *testing.T) {
	t.Parallel()
	for _, l := range prompts.Languages() {
		doc := []byte(`{"account_sid":"AC` + strings.Repeat("0", 32) + `","api_key":"SK` + strings.Repeat("0", 32) +
			`","api_secret":"s","auth_token":"t","language":"` + l.Tag + `","voice":"` + l.Voice + `"}`)
		if r := options.Load(doc, options.Format, options.Context{}); len(r.Problems)+len(r.Warnings) > 0 {
			t.Errorf("%s: %+v %+v", l.Tag, r.Problems, r.Warnings)
		}
	}
}
