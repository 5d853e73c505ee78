package wording

import (
	"fmt"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestPlainErrors(t *testing.T) {
	t.Parallel()
	known := integration.Errorf(integration.KindInvalid, "secret key: wrong")
	if got := Plain(known); got != "secret key: wrong" {
		t.Fatalf("Plain(known) = %q, want %q", got, "secret key: wrong")
	}
	if got := Plain(fmt.Errorf("store: %w", known)); got != "store: secret key: wrong" {
		t.Fatalf(`Plain(fmt.Errorf("store: %%w", known)) = %q, want %q`, got, "store: secret key: wrong")
	}
	if got := OneLine("a\n  b\n"); got != "a; b" {
		t.Fatalf(`OneLine("a\n b\n") = %q, want %q`, got, "a; b")
	}
}

func TestErrorsForPeopleAreOneLineWithoutSecrets(t *testing.T) {
	t.Parallel()
	s := settings.Settings{SecretKey: "canary-key-1234"}
	if err := ForPeople(s, nil); err != nil {
		t.Errorf("no error becomes %v", err)
	}
	err := fmt.Errorf("store: %w", integration.Errorf(integration.KindInvalid, "the key canary-key-1234\n  is wrong"))
	if got, want := ForPeople(s, err).Error(), "store: the key [secret]; is wrong"; got != want {
		t.Errorf("ForPeople = %q, want %q", got, want)
	}
}

func TestAsSentence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                            "",
		"a word":                      "A word.",
		"\u00e9t\u00e9..":             "\u00c9t\u00e9.",
		"https://example.com is down": "https://example.com is down.",
	} {
		if got := AsSentence(text); got != want {
			t.Errorf("AsSentence(%q) = %q, want %q", text, got, want)
		}
	}
}
