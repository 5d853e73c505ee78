package options

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/schema"
)

var (
	sid   = "AC" + strings.Repeat("0a", 16)
	key   = "SK" + strings.Repeat("1b", 16)
	media = "media:" + strings.Repeat("2c", 32)
	team  = []integration.Destination{{Kind: integration.DestinationTeam, ID: "devops", Name: "DevOps"}}
)

// doc is a valid document with changes; nil deletes.
func doc(changes map[string]any) []byte {
	m := map[string]any{"account_sid": sid, "api_key": key, "api_secret": "s3cretvalue", "auth_token": "tokenvalue"}
	for k, v := range changes {
		if v == nil {
			delete(m, k)
			continue
		}
		m[k] = v
	}
	out, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return out
}

func TestDefaultsAreTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	r := Load(doc(nil), 0, Context{Destinations: team})
	if len(r.Problems) > 0 || len(r.Warnings) > 0 {
		t.Fatalf("%+v %+v", r.Problems, r.Warnings)
	}
	if diff := cmp.Diff(config.Defaults(), r.Options.Flow); diff != "" {
		t.Errorf("form's defaults differ from the call flow's:\n%s", diff)
	}
	want := Options{
		Account: Account{SID: sid, Key: key, Secret: "s3cretvalue", AuthTokens: []string{"tokenvalue"}, Region: "ashburn.us1"},
		Flow:    config.Defaults(), Prompts: map[string]Source{}, Language: "en-US",
	}
	if diff := cmp.Diff(want, r.Options); diff != "" {
		t.Error(diff)
	}
}

func TestEveryOptionArrives(t *testing.T) {
	t.Parallel()
	document := doc(map[string]any{
		"auth_token_previous": "oldtoken", "api_region": "dublin.ie1", "caller_id": "(202) 555-0100", "country": "US", "welcome": "Hello there", "before_wait": "https://x.example.com/a.mp3",
		"wait_music": media, "language": "de-DE", "voice": "Polly.Daniel-Neural", "force_input": true, "menu_fallback": "first_team", "reach": "acknowledge", "confirm_answer": false,
		"ring_timeout": 30, "dial_pause": 3, "voicemail": true, "voicemail_emails": []string{"On-Call", "ops@example.com", " "}, "send_straight_to_voicemail": true, "deliver_messages": "on",
		"voicemail_max_length": 90, "delete_recording_at_twilio": true, "max_wait_time": 120, "give_up": "one_round", "calls_per_number": 7, "banned_phones": []string{"+1 (202) 555-0199", "+1900*", "Anonymous", "+12025550199"},
		"skip_resolve_on_hangup": true, "resolve_on_completed": true, "fallback_url": "https://handler.example.com/x",
		"before_connect": "Now", "voicemail_greeting": "Speak", "after_voicemail": "Thanks", "no_answer": "Bye", "transcribe": true,
	})
	for key := range form().fields {
		if !strings.Contains(string(document), strconv.Quote(key)+":") {
			t.Errorf("%s has no value here: does it arrive?", key)
		}
	}
	r := Load(document, 1, Context{Destinations: team, MediaURLs: map[string]string{media: "https://m.example.com/1"}, Capabilities: integration.Capabilities{Audiences: true}})
	if len(r.Problems) > 0 {
		t.Fatalf("%+v", r.Problems)
	}
	want := Options{
		Account:  Account{SID: sid, Key: key, Secret: "s3cretvalue", AuthTokens: []string{"tokenvalue", "oldtoken"}, Region: "dublin.ie1"},
		CallerID: "+12025550100", Country: "US", Banned: []string{"+12025550199", "+1900*", "anonymous"}, Language: "de-DE", Voice: "Polly.Daniel-Neural", Fallback: "https://handler.example.com/x",
		MailTo: []Recipient{{Audience: integration.AudienceOnCall}, {Address: "ops@example.com"}},
		Prompts: map[string]Source{"welcome": {Text: "Hello there"}, "before_wait": {URL: "https://x.example.com/a.mp3"}, "wait_music": {Media: media},
			"before_connect": {Text: "Now"}, "voicemail_greeting": {Text: "Speak"}, "after_voicemail": {Text: "Thanks"}, "no_answer": {Text: "Bye"}},
		Flow: config.Config{Reach: "acknowledge", RingTimeout: 30 * time.Second, DialPause: 3 * time.Second, ForceInput: true, MenuFallback: "first_team",
			MaxWait: 2 * time.Minute, GiveUp: config.GiveUpOneRound, CallsPerNumber: 7, Voicemail: true, VoicemailMaxLength: 90 * time.Second, DeleteRecording: true, Deliver: config.DeliverOn, MailsAddresses: true, Transcribe: true,
			StraightToVoicemail: true, SkipResolveOnHangup: true, ResolveOnCompleted: true},
	}
	if diff := cmp.Diff(want, r.Options); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		changes map[string]any
		path    string
		code    string
		says    string
	}{
		{"PT79 no account", map[string]any{"account_sid": nil}, "account_sid", "required", "Twilio Account SID is required."},
		{"PT79 blank key", map[string]any{"api_key": " "}, "api_key", "required", "Twilio API Key"},
		{"PT79 no secret", map[string]any{"api_secret": ""}, "api_secret", "required", "Twilio API Secret"},
		{"PT79 account shape", map[string]any{"account_sid": key}, "account_sid", "format", "AC followed by 32"},
		{"PT79 key shape", map[string]any{"api_key": sid}, "api_key", "format", "SK followed by 32"},
		{"secret with blanks", map[string]any{"api_secret": "a b"}, "api_secret", "format", "letters and digits"},
		{"PT78 region", map[string]any{"api_region": "mars"}, "api_region", "range", "dublin.ie1"},
		{"caller id", map[string]any{"caller_id": "0202 555"}, "caller_id", "format", "country code"},
		{"boolean as text", map[string]any{"voicemail": "yes"}, "voicemail", "type", "true or false"},
		{"number as text", map[string]any{"max_wait_time": "60s"}, "max_wait_time", "type", "whole number"},
		{"wait too short", map[string]any{"max_wait_time": 29}, "max_wait_time", "range", "from 30 to 3600"},
		{"wait too long", map[string]any{"max_wait_time": 3601}, "max_wait_time", "range", "from 30 to 3600"},
		{"half a second", map[string]any{"ring_timeout": 7.5}, "ring_timeout", "type", "whole number"},
		{"PT53 pause", map[string]any{"dial_pause": 99}, "dial_pause", "range", "from 0 to 15"},
		{"PT53 negative pause", map[string]any{"dial_pause": -1}, "dial_pause", "range", "from 0 to 15"},
		{"PT53 rubbish", map[string]any{"dial_pause": "soon"}, "dial_pause", "type", "whole number"},
		{"PT77 mail entry", map[string]any{"voicemail_emails": []string{"team", "nobody"}}, "voicemail_emails/1", "format", "Voicemail Emails, entry 2, must be an e-mail"},
		{"PT77 mail with name", map[string]any{"voicemail_emails": []string{"Ops <ops@example.com>"}}, "voicemail_emails/0", "format", "entry 1"},
		{"PT76 list as text", map[string]any{"voicemail_emails": `[{"value":"x"}]`}, "voicemail_emails", "type", "list"},
		{"PT76 list of objects", map[string]any{"banned_phones": []any{map[string]any{"value": "x"}}}, "banned_phones/0", "type", "Banned Phones, entry 1,"},
		{"banned", map[string]any{"banned_phones": []string{"555"}}, "banned_phones/0", "format", "star"},
		{"http address", map[string]any{"welcome": "http://x.example.com/a.mp3"}, "welcome", "format", "https://"},
		{"credentials in address", map[string]any{"welcome": "https://u:p@x.example.com/a.mp3"}, "welcome", "format", "must not contain a user name"},
		{"bad media", map[string]any{"no_answer": "media:xyz"}, "no_answer", "format", "upload it again"},
		{"music as text", map[string]any{"wait_music": "la la la"}, "wait_music", "format", "sound file"},
		{"lost media", map[string]any{"welcome": media}, "welcome", "not_found", "no longer exists"},
		{"confirm with ring", map[string]any{"reach": "ring", "confirm_answer": false}, "confirm_answer", "conflict", "mailbox"},
		{"confirm with both", map[string]any{"reach": "both", "confirm_answer": false}, "confirm_answer", "conflict", "mailbox"},
		{"long transcript", map[string]any{"transcribe": true, "voicemail_max_length": 121}, "voicemail_max_length", "conflict", "120"},
		{"previous token alone", map[string]any{"auth_token": nil, "auth_token_previous": "x"}, "auth_token_previous", "conflict", "Twilio Auth Token"},
		{"voice", map[string]any{"voice": "Darth Vader"}, "voice", "format", "Polly"},
		{"fallback", map[string]any{"fallback_url": "http://x.example.com"}, "fallback_url", "format", "https"},
		{"text too long", map[string]any{"welcome": strings.Repeat("a", 2001)}, "welcome", "range", "too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := Load(doc(tt.changes), 0, Context{Destinations: team, MediaURLs: map[string]string{}})
			if len(r.Problems) != 1 {
				t.Fatalf("problems: %+v", r.Problems)
			}
			p := r.Problems[0]
			if p.Path != tt.path || p.Code != tt.code || !strings.Contains(p.Message, tt.says) {
				t.Errorf("got %+v, want %s %s %q", p, tt.path, tt.code, tt.says)
			}
			// a call is served nevertheless
			if r.Options.Flow.MaxWait < 30*time.Second || r.Options.Flow.DialPause == 0 || r.Options.Language == "" {
				t.Errorf("unusable options %+v", r.Options.Flow)
			}
		})
	}
}

func TestPT53DialPause(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		changes map[string]any
		want    time.Duration
	}{
		{nil, time.Second}, {map[string]any{"dial_pause": nil}, time.Second}, {map[string]any{"dial_pause": 0}, 0},
		{map[string]any{"dial_pause": 15}, 15 * time.Second},
		// Refused, so the default is used.
		{map[string]any{"dial_pause": 99}, time.Second}, {map[string]any{"dial_pause": "soon"}, time.Second},
	} {
		if got := Load(doc(tt.changes), 0, Context{Destinations: team}).Options.Flow.DialPause; got != tt.want {
			t.Errorf("%v: %v, want %v", tt.changes, got, tt.want)
		}
	}
}

func TestNotAnObject(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "null", "[]", `"x"`, "{", "{}{}", "\xff"} {
		r := Load([]byte(data), 0, Context{})
		if len(r.Problems) == 0 || r.Problems[0].Code != "type" {
			t.Errorf("%q: %+v", data, r.Problems)
		}
		if diff := cmp.Diff(config.Defaults(), r.Options.Flow); diff != "" {
			t.Errorf("%q: %s", data, diff)
		}
	}
}

func TestUnknownFieldsAreKeptAndTold(t *testing.T) {
	t.Parallel()
	r := Load(doc(map[string]any{"dail_pause": 3, "zebra": map[string]any{"a": 1.50}}), 0, Context{Destinations: team})
	if len(r.Problems) != 0 || len(r.Warnings) != 2 || r.Warnings[0].Path != "dail_pause" || r.Warnings[0].Code != "unknown" {
		t.Fatalf("%+v %+v", r.Problems, r.Warnings)
	}
	if !strings.Contains(string(r.Document), `"zebra":{"a":1.5`) || !strings.Contains(string(r.Document), `"dail_pause":3`) {
		t.Errorf("document is %s", r.Document)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	t.Parallel()
	r := Load(doc(nil), Format+1, Context{Destinations: team})
	if len(r.Problems) != 1 || r.Problems[0].Code != "format" {
		t.Errorf("%+v", r.Problems)
	}
}

func TestPT25NobodyToCallIsRefused(t *testing.T) {
	t.Parallel()
	for _, d := range [][]integration.Destination{{}, {{Kind: integration.DestinationTeam, ID: "gone", Missing: true}}} {
		r := Load(doc(nil), 0, Context{Destinations: d})
		if len(r.Problems) != 1 || r.Problems[0].Path != "destinations" {
			t.Errorf("%+v", r.Problems)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	many := make([]integration.Destination, 10)
	for i := range many {
		many[i] = integration.Destination{Kind: integration.DestinationTeam, ID: fmt.Sprint(i)}
	}
	for name, tt := range map[string]struct {
		changes map[string]any
		in      Context
		path    string
		code    string
	}{
		"no token":        {map[string]any{"auth_token": nil}, Context{Destinations: team}, "auth_token", "recommended"},
		"no recipients":   {map[string]any{"voicemail": true}, Context{Destinations: team}, "voicemail_emails", "unreached"},
		"no mail server":  {map[string]any{"voicemail": true, "voicemail_emails": []string{"ops@example.com"}}, Context{Destinations: team, ProtocolMinor: 1}, "voicemail_emails", "unreached"},
		"words alone":     {map[string]any{"voicemail": true, "voicemail_emails": []string{"team"}}, Context{Destinations: team}, "voicemail_emails", "unreached"},
		"doubtful ban":    {map[string]any{"banned_phones": []string{"+1 100 555 0143"}}, Context{Destinations: team}, "banned_phones", "doubtful"},
		"doubtful number": {map[string]any{"caller_id": "+11005550143"}, Context{Destinations: team}, "caller_id", "doubtful"},
		"nobody is told":  {map[string]any{"reach": "acknowledge"}, Context{Destinations: team, ProtocolMinor: 1}, "reach", "unreached"},
		"straight alone":  {map[string]any{"send_straight_to_voicemail": true}, Context{Destinations: team}, "send_straight_to_voicemail", "no_effect"},
		"transcribe":      {map[string]any{"transcribe": true, "language": "fr-FR"}, Context{Destinations: team}, "transcribe", "no_effect"},
		"confirm on auto": {map[string]any{"confirm_answer": false}, Context{Destinations: team}, "confirm_answer", "no_effect"},
		"audiences":       {map[string]any{"voicemail_emails": []string{"team"}}, Context{Destinations: team}, "voicemail_emails", "unsupported"},
		"long music":      {map[string]any{"wait_music": "https://x.example.com/long.mp3"}, Context{Destinations: team}, "wait_music", "info"},
		"PT39 ten teams":  {nil, Context{Destinations: many}, "destinations", "range"},
		"router and team": {nil, Context{Destinations: append([]integration.Destination{{Kind: integration.DestinationRouter, ID: "r"}}, team...)}, "destinations", "conflict"},
		"missing one":     {nil, Context{Destinations: append([]integration.Destination{{ID: "x", Kind: integration.DestinationTeam, Missing: true}}, team...)}, "destinations", "not_found"},
	} {
		r := Load(doc(tt.changes), 0, tt.in)
		if len(r.Problems) != 0 || len(r.Warnings) != 1 || r.Warnings[0].Path != tt.path || r.Warnings[0].Code != tt.code {
			t.Errorf("%s: problems %+v, warnings %+v", name, r.Problems, r.Warnings)
		}
	}
}

// TestNoValueReachesAMessage puts a recognisable value into every field, in every type.
func TestNoValueReachesAMessage(t *testing.T) {
	t.Parallel()
	const canary = "c4nary-Value"
	for name := range form().fields {
		for _, v := range []any{canary, []string{canary}, map[string]string{canary: canary}, []any{map[string]string{"a": canary}}, "https://" + canary + ":x@h", "media:" + canary, 1e300, -1} {
			r := Load(doc(map[string]any{name: v}), 0, Context{Destinations: team, MediaURLs: map[string]string{}})
			for _, p := range append(r.Problems, r.Warnings...) {
				if strings.Contains(p.Message, canary) || strings.Contains(p.Path, canary) {
					t.Errorf("%s: %+v", name, p)
				}
				if p.Message == "" || p.Code == "" {
					t.Errorf("%s: bare %+v", name, p)
				}
			}
		}
	}
}

// TestFormRules holds the schema against the rules that make every renderer show it.
func TestFormRules(t *testing.T) {
	t.Parallel()
	var raw struct {
		Schema     string                       `json:"$schema"`
		Version    int                          `json:"x-schema-version"`
		Groups     []struct{ ID, Title string } `json:"x-groups"`
		Properties json.RawMessage              `json:"properties"`
	}
	if err := json.Unmarshal(schema.Options(), &raw); err != nil {
		t.Fatal(err)
	}
	if raw.Schema != "http://json-schema.org/draft-07/schema#" || raw.Version != Format {
		t.Errorf("%s, version %d", raw.Schema, raw.Version)
	}
	for _, word := range []string{"oneOf", "anyOf", "allOf", `"if"`, "$ref", "dependencies"} {
		if strings.Contains(string(schema.Options()), word) {
			t.Errorf("%s is in the form", word)
		}
	}
	dec := json.NewDecoder(strings.NewReader(string(raw.Properties)))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	group := -1
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		name, _ := tok.(string)
		var p struct {
			Title, Description, Type, Format string
			Pattern                          string
			Shape                            string `json:"x-pattern-message"`
			Unit                             string `json:"x-unit"`
			Group                            string `json:"x-group"`
			WriteOnly                        bool
			XSecret                          bool `json:"x-secret"`
			Airbyte                          bool `json:"airbyte_secret"`
			Enum                             []string
			EnumTitles                       []string `json:"x-enum-titles"`
			Default                          any
			Examples                         []any
			ShowIf                           *struct {
				Field  string
				Equals []any
			} `json:"x-show-if"`
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if (p.Pattern == "") != (p.Shape == "") {
			t.Errorf("%s: a pattern and the message for what does not match it belong together", name)
		}
		if p.Type == "integer" && p.Unit == "" {
			t.Errorf("%s: a number needs a unit (x-unit)", name)
		}
		if p.Title == "" || len(p.Title) > 40 || p.Description == "" || strings.ContainsAny(p.Description, "<>*`") {
			t.Errorf("%s: title %q, description %q", name, p.Title, p.Description)
		}
		secret := name == "api_key" || name == "api_secret" || strings.Contains(name, "token")
		if secret != p.XSecret || secret != p.WriteOnly || secret != p.Airbyte || secret != (p.Format == "password") || (secret && (p.Default != nil || p.Examples != nil)) {
			t.Errorf("%s: secret marks %+v", name, p)
		}
		if len(p.Enum) > 0 && (p.Default == nil || len(p.EnumTitles) != len(p.Enum)) {
			t.Errorf("%s: choice without default or titles", name)
		}
		if p.ShowIf != nil {
			if _, ok := form().fields[p.ShowIf.Field]; !ok || len(p.ShowIf.Equals) == 0 {
				t.Errorf("%s: shown if %+v", name, p.ShowIf)
			}
		}
		for group < 0 || raw.Groups[group].ID != p.Group {
			group++
			if group == len(raw.Groups) {
				t.Fatalf("%s: group %q is unknown, or not in one piece", name, p.Group)
			}
		}
	}
}

// TestNumbersThatNobodyCanMeanAreRefusedByField holds for every spelling of JSON, in a field that
// takes a number and in a list that takes texts.
func TestNumbersThatNobodyCanMeanAreRefusedByField(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("9", 100_000)
	for _, number := range []string{"1e999999999", "-1e999999999", "1e400", "1e-999999999", digits, "-" + digits, "0." + digits, "1.5", "-0", "-1", "9223372036854775808"} {
		r := Load(doc(map[string]any{"max_wait_time": json.RawMessage(number), "banned_phones": json.RawMessage("[" + number + "]")}), Format, Context{Destinations: team})
		var paths []string
		for _, p := range r.Problems {
			paths = append(paths, p.Path)
			if p.Path == "max_wait_time" && !strings.HasPrefix(p.Message, "Max Wait Time must be ") {
				t.Errorf("%.20s: %s", number, p.Message)
			}
		}
		if diff := cmp.Diff([]string{"banned_phones/0", "max_wait_time"}, paths); diff != "" {
			t.Errorf("%.20s: %s", number, diff)
		}
	}
	for number, want := range map[string]time.Duration{"300": 5 * time.Minute, "300.0": 5 * time.Minute, "3e2": 5 * time.Minute} {
		r := Load(doc(map[string]any{"max_wait_time": json.RawMessage(number)}), Format, Context{Destinations: team})
		if len(r.Problems) > 0 || r.Options.Flow.MaxWait != want {
			t.Errorf("%s is read as %v: %v", number, r.Options.Flow.MaxWait, r.Problems)
		}
	}
	for _, number := range []string{"NaN", "Infinity", "+1", "0x10", "1_000", "01"} {
		if r := Load([]byte(`{"max_wait_time":`+number+`}`), Format, Context{}); len(r.Problems) == 0 || r.Problems[0].Message != "The options must be one JSON object." {
			t.Errorf("%s: %v", number, r.Problems)
		}
	}
}

// TestLargeDocumentsHaveAShortAnswer holds for any number of mistakes, and for nesting.
func TestLargeDocumentsHaveAShortAnswer(t *testing.T) {
	t.Parallel()
	keys := map[string]any{}
	for i := range 40_000 {
		keys[fmt.Sprint("unknown", i)] = i
	}
	r := Load(doc(keys), Format, Context{Destinations: team})
	if last := r.Warnings[20].Message; len(r.Problems) > 0 || len(r.Warnings) > 30 || last != "… and 39980 more." {
		t.Errorf("%d problems, %d warnings, %s", len(r.Problems), len(r.Warnings), last)
	}
	r = Load(doc(map[string]any{"banned_phones": make([]int, 200_000), "voicemail_emails": strings.Fields(strings.Repeat("x ", 40))}), Format, Context{Destinations: team})
	if len(r.Problems) != 21 {
		t.Errorf("%d problems", len(r.Problems))
	}
	for _, deep := range []string{strings.Repeat("[", 200_000), strings.Repeat(`{"a":`, 200_000), `{"welcome":` + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + "}"} {
		if r := Load([]byte(deep), Format, Context{}); len(r.Problems) == 0 || r.Problems[0].Message != "The options must be one JSON object." {
			t.Errorf("%.20s: %v", deep, r.Problems)
		}
	}
	nested := `{"welcome":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}"
	if r := Load([]byte(nested), Format, Context{Destinations: team}); len(r.Problems) == 0 {
		t.Error("a list of lists is accepted as a text")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(doc(nil), 0)
	f.Add([]byte(`{"banned_phones":[null,1,"*"],"welcome":"media:"}`), 1)
	f.Add([]byte(`{"max_wait_time":1e999}`), -3)
	f.Fuzz(func(t *testing.T, data []byte, format int) {
		r := Load(data, format, Context{Destinations: team})
		if r.Options.Flow.MaxWait < 30*time.Second || r.Options.Flow.MaxWait > time.Hour || r.Options.Language == "" || r.Options.Flow.RingTimeout <= 0 {
			t.Errorf("unusable: %+v", r.Options.Flow)
		}
		if again := Load(r.Document, Format, Context{Destinations: team}); len(again.Problems) != len(r.Problems) && format <= Format {
			t.Errorf("saved document has other problems: %v, %v", r.Problems, again.Problems)
		}
	})
}

// People who are told of an alert by anybody can acknowledge it, and a host of before does not say
// whether they are.
func TestNobodyIsToldOfAnAlert(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		reach string
		in    integration.Instance
		told  bool
	}{
		"nobody is told":           {"acknowledge", integration.Instance{ProtocolMinor: 1}, false},
		"told by the host":         {"acknowledge", integration.Instance{ProtocolMinor: 1, Capabilities: integration.Capabilities{Notifies: true}}, true},
		"paged by the platform":    {"acknowledge", integration.Instance{ProtocolMinor: 1, Capabilities: integration.Capabilities{PagesByItself: true}}, true},
		"a host that does not say": {"acknowledge", integration.Instance{}, true},
		"rung all the same":        {"both", integration.Instance{ProtocolMinor: 1}, true},
		"rung by default":          {"auto", integration.Instance{ProtocolMinor: 1}, true},
	} {
		r := Load(doc(map[string]any{"reach": tt.reach}), 0, Context{Destinations: team, ProtocolMinor: tt.in.ProtocolMinor, Capabilities: tt.in.Capabilities})
		if told := r.Options.Unnotified(tt.in) == ""; told != tt.told {
			t.Errorf("%s: a phone may ring %v, want %v", name, told, tt.told)
		}
		if warned := slices.ContainsFunc(r.Warnings, func(p integration.Problem) bool { return p.Path == "reach" }); warned == tt.told {
			t.Errorf("%s: warnings %+v", name, r.Warnings)
		}
	}
}
