package options

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestMigrationFromFormat0 takes a document as the older product's API gives it.
func TestMigrationFromFormat0(t *testing.T) {
	t.Parallel()
	old := map[string]any{
		"option_account_sid": sid, "option_api_key": key, "option_api_secret": "s3cretvalue", "option_api_region": "dublin.ie1",
		"option_welcome_media": "https://x.example.com/welcome.mp3", "option_please_wait_media": "https://x.example.com/wait.mp3",
		"option_music_media": "https://x.example.com/music.mp3", "option_connect_now_media": "https://x.example.com/now.mp3",
		"option_no_answer_media": "https://x.example.com/vm.mp3", "option_no_answer_thank_you_media": "https://x.example.com/thanks.mp3",
		"option_no_answer_no_record_media": "https://x.example.com/bye.mp3",
		"option_force_input":               "true", "option_record": true, "option_send_straight_to_voicemail": "0",
		"option_record_emails": "team, ops@example.com,", "option_banned_phones_list": `[{"value":"+12025550177"},{"value":"+1900*"}]`,
		"option_max_wait_time": "120", "option_skip_resolve_on_hangup": true, "option_dial_pause": "99",
		"option_title_template": "{{data.From}}", "option_title_template_enabled": false,
	}
	for name, prefix := range map[string]string{"as in the API": "option_", "as stored": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := map[string]any{}
			for k, v := range old {
				given[prefix+strings.TrimPrefix(k, "option_")] = v
			}
			data, err := json.Marshal(given)
			if err != nil {
				t.Fatal(err)
			}
			r := Load(data, 0, Context{Destinations: team})
			if len(r.Problems) > 0 {
				t.Fatalf("problems %+v", r.Problems)
			}
			var got map[string]any
			if err := json.Unmarshal(r.Document, &got); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{
				"account_sid": sid, "api_key": key, "api_secret": "s3cretvalue", "api_region": "dublin.ie1",
				"welcome": "https://x.example.com/welcome.mp3", "before_wait": "https://x.example.com/wait.mp3", "wait_music": "https://x.example.com/music.mp3",
				"before_connect": "https://x.example.com/now.mp3", "voicemail_greeting": "https://x.example.com/vm.mp3", "after_voicemail": "https://x.example.com/thanks.mp3",
				"no_answer": "https://x.example.com/bye.mp3", "force_input": true, "voicemail": true, "send_straight_to_voicemail": false,
				"voicemail_emails": []any{"team", "ops@example.com"}, "banned_phones": []any{"+12025550177", "+1900*"},
				"max_wait_time": 120.0, "skip_resolve_on_hangup": true, "dial_pause": 15.0,
				// Unknown here: kept.
				"title_template": "{{data.From}}", "title_template_enabled": false,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if f := r.Options.Flow; !f.Voicemail || !f.ForceInput || f.MaxWait != 2*time.Minute || f.DialPause != 15*time.Second || len(r.Options.Banned) != 2 || len(r.Options.MailTo) != 2 {
				t.Errorf("options %+v", r.Options)
			}
			codes := map[string]int{}
			for _, w := range r.Warnings {
				codes[w.Code]++
				if strings.Contains(w.Message, "s3cretvalue") {
					t.Errorf("a message contains a secret: %+v", w)
				}
			}
			if codes["migrated"] != 10 || codes["unknown"] != 2 {
				t.Errorf("warnings %v: %+v", codes, r.Warnings)
			}
			// What comes out is today's: loading it again changes and tells nothing of it.
			again := Load(r.Document, 0, Context{Destinations: team})
			if diff := cmp.Diff(string(r.Document), string(again.Document)); diff != "" {
				t.Error(diff)
			}
			for _, w := range again.Warnings {
				if w.Code == "migrated" {
					t.Errorf("migrated twice: %+v", w)
				}
			}
		})
	}
}

func TestMigrationIsCareful(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		given map[string]any
		want  map[string]any // of the document, beside the credentials; nil value: not there
		code  string         // of one warning or problem at a path
		path  string
	}{
		"today's key wins":                 {map[string]any{"record": true, "voicemail": false}, map[string]any{"record": true, "voicemail": false}, "unknown", "record"},
		"a file that lies elsewhere":       {map[string]any{"welcome_media": "eyJfcmFpbHMiOnt9fQ--abc"}, map[string]any{"welcome_media": "eyJfcmFpbHMiOnt9fQ--abc", "welcome": nil}, "unknown", "welcome_media"},
		"a file as an object":              {map[string]any{"music_media": map[string]any{"id": 7.0}}, map[string]any{"music_media": map[string]any{"id": 7.0}, "wait_music": nil}, "unknown", "music_media"},
		"nothing":                          {map[string]any{"welcome_media": nil, "record": nil, "record_emails": ""}, map[string]any{"welcome": nil, "welcome_media": nil, "record_emails": nil}, "", ""},
		"plain http is refused":            {map[string]any{"music_media": "http://x.example.com/a.mp3"}, map[string]any{"wait_music": "http://x.example.com/a.mp3"}, "format", "wait_music"},
		"damaged list is refused":          {map[string]any{"record_emails": `[{"value":`}, map[string]any{"voicemail_emails": `[{"value":`}, "type", "voicemail_emails"},
		"a bad entry is refused":           {map[string]any{"banned_phones_list": []any{map[string]any{"value": "555"}}}, map[string]any{"banned_phones": []any{"555"}}, "format", "banned_phones/0"},
		"a pause of none":                  {map[string]any{"record": true, "dial_pause": 0}, map[string]any{"dial_pause": 1.0}, "migrated", "voicemail"},
		"today's pause of none":            {map[string]any{"dial_pause": 0}, map[string]any{"dial_pause": 0.0}, "", ""},
		"today's document is untouched":    {map[string]any{"voicemail_emails": []any{"team"}, "zebra": "true"}, map[string]any{"voicemail_emails": []any{"team"}, "zebra": "true"}, "unknown", "zebra"},
		"a prefixed secret beside its own": {map[string]any{"option_auth_token": "other"}, map[string]any{"auth_token": "tokenvalue", "option_auth_token": nil}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := map[string]any{"account_sid": sid, "api_key": key, "api_secret": "s3cretvalue", "auth_token": "tokenvalue"}
			for k, v := range tt.given {
				m[k] = v
			}
			data, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			r := Load(data, 0, Context{Destinations: team, Capabilities: integration.Capabilities{Audiences: true}})
			var got map[string]any
			if err := json.Unmarshal(r.Document, &got); err != nil {
				t.Fatal(err)
			}
			for k, want := range tt.want {
				if diff := cmp.Diff(want, got[k]); diff != "" {
					t.Errorf("%s: %s", k, diff)
				}
			}
			found := tt.code == ""
			for _, p := range append(r.Problems, r.Warnings...) {
				found = found || p.Code == tt.code && p.Path == tt.path
			}
			if !found {
				t.Errorf("%s at %s is not reported: %+v %+v", tt.code, tt.path, r.Problems, r.Warnings)
			}
		})
	}
}

// TestStoredDocumentsAreNotTakenForOlderOnes: a document of today's format is never migrated,
// whatever its keys.
func TestStoredDocumentsAreNotTakenForOlderOnes(t *testing.T) {
	t.Parallel()
	r := Load(doc(map[string]any{"record": true}), Format, Context{Destinations: team})
	if r.Options.Flow.Voicemail || !strings.Contains(string(r.Document), `"record":true`) {
		t.Errorf("%s", r.Document)
	}
}
