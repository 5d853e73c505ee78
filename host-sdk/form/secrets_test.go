package form_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/form"
)

const fewFields = `{"type":"object","properties":{"sid":{"type":"string"},"key":{"type":"string","x-secret":true},"extra":{"type":"string","writeOnly":true},"alpha":{}}}`

func TestSecretFieldsKeepTheSchemasOrder(t *testing.T) {
	got, err := form.SecretFields([]byte(fewFields))
	if err != nil || !cmp.Equal(got, []string{"key", "extra"}) {
		t.Errorf("SecretFields = %v, %v", got, err)
	}
	for _, bad := range []string{"", "[]", `{"properties":[]}`} {
		if _, err := form.SecretFields([]byte(bad)); err == nil {
			t.Errorf("SecretFields(%q) is accepted", bad)
		}
	}
}

func TestSecretsAreKeptReplacedDeletedAndHidden(t *testing.T) {
	secrets := []string{"key", "extra"}
	old := `{"sid":"a","key":"old-secret","extra":"e"}`
	for _, tc := range []struct{ name, sent, want string }{
		{"absent keeps", `{"sid":"b"}`, `{"extra":"e","key":"old-secret","sid":"b"}`},
		{"mark keeps", `{"key":{"set":true},"extra":{"set":false}}`, `{"extra":"e","key":"old-secret"}`},
		{"value replaces", `{"key":"new"}`, `{"extra":"e","key":"new"}`},
		{"null deletes", `{"key":null,"extra":null}`, `{}`},
		{"empty keeps", `{"key":""}`, `{"extra":"e","key":"old-secret"}`},
		{"wrong type is left to validation", `{"key":5}`, `{"extra":"e","key":5}`},
		{"empty document", ``, `{"extra":"e","key":"old-secret"}`},
	} {
		got, err := form.MergeSecrets([]byte(tc.sent), []byte(old), secrets)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %s, %v; want %s", tc.name, got, err, tc.want)
		}
	}
	for _, bad := range []string{"[]", "null", `"x"`, "{"} {
		if _, err := form.MergeSecrets([]byte(bad), nil, secrets); err == nil {
			t.Errorf("MergeSecrets(%q) is accepted", bad)
		}
	}
	hidden, err := form.HideSecrets([]byte(old), secrets)
	if err != nil || strings.Contains(string(hidden), "old-secret") || string(hidden) != `{"extra":{"set":true},"key":{"set":true},"sid":"a"}` {
		t.Errorf("HideSecrets = %s, %v", hidden, err)
	}
	empty, err := form.HideSecrets([]byte(`{"sid":"a","key":"","extra":null}`), secrets)
	if err != nil || string(empty) != `{"sid":"a"}` {
		t.Errorf("HideSecrets marks secrets without a value: %s, %v", empty, err)
	}
	now, err := form.Overlay([]byte(`{"sid":"pinned","key":"old"}`), []byte(`{"sid":"new","key":"fresh"}`), secrets)
	if err != nil || string(now) != `{"key":"fresh","sid":"pinned"}` {
		t.Errorf("Overlay = %s, %v", now, err)
	}
}
