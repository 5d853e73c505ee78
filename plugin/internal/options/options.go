package options

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/mitchellh/mapstructure"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
)

// Format is the number of the document's format that this version writes. It equals
// x-schema-version of the form.
const Format = 1

// Options are the typed options of one integration. They contain secrets: never log them. They are
// shared by requests of an instance (package app caches them), so nobody may change them.
type Options struct {
	Account  Account
	CallerID string // E.164; "" means the called number
	// Country is that of telephone numbers without plus sign, as two letters; "" = none.
	Country string
	// Banned lists whom to reject, as [phone.ReadBan] returns it.
	Banned []string
	Flow   config.Config
	// Prompts holds the recording fields (those with x-media in the form) that are filled in, by
	// key.
	Prompts  map[string]Source
	Language string // BCP 47
	Voice    string // "" means the language's own
	MailTo   []Recipient
	Fallback string // https address; "" means the endpoint's own
}

// Account says how to reach Twilio and how to recognize its requests.
type Account struct {
	SID        string
	Key        string
	Secret     string
	AuthTokens []string // the current and the previous one; empty if requests cannot be checked
	Region     string   // such as "dublin.ie1"
}

// Recipient is an address or an audience, never both.
type Recipient struct {
	Address  string
	Audience integration.Audience
}

// Context holds what a document is checked against, apart from the form.
type Context struct {
	// Destinations are the chosen teams and routers. nil means that they are not checked.
	Destinations []integration.Destination
	Capabilities integration.Capabilities
	// ProtocolMinor is the host's: a capability that a later minor added is not known of it.
	ProtocolMinor int
	// MediaURLs are the public addresses of uploaded files by reference. nil means that references
	// are not looked up.
	MediaURLs map[string]string
}

// Result is a document that was read. Problems keep a document from being saved; Options can serve
// calls all the same.
type Result struct {
	Options  Options
	Document []byte // in the format [Format], with unknown fields
	Problems []integration.Problem
	Warnings []integration.Problem
}

// document mirrors the form, except for the recording fields, which need no code of their own; the
// tags are the form's keys. A test sends every option of the schema through it. Zero values never
// count: decode fills in the form's defaults first.
type document struct {
	AccountSID        string   `mapstructure:"account_sid"`
	APIKey            string   `mapstructure:"api_key"`
	APISecret         string   `mapstructure:"api_secret"`
	AuthToken         string   `mapstructure:"auth_token"`
	AuthTokenPrevious string   `mapstructure:"auth_token_previous"`
	APIRegion         string   `mapstructure:"api_region"`
	CallerID          string   `mapstructure:"caller_id"`
	Country           string   `mapstructure:"country"`
	Language          string   `mapstructure:"language"`
	Voice             string   `mapstructure:"voice"`
	ForceInput        bool     `mapstructure:"force_input"`
	MenuFallback      string   `mapstructure:"menu_fallback"`
	Reach             string   `mapstructure:"reach"`
	ConfirmAnswer     bool     `mapstructure:"confirm_answer"`
	RingTimeout       int      `mapstructure:"ring_timeout"`
	DialPause         int      `mapstructure:"dial_pause"`
	Voicemail         bool     `mapstructure:"voicemail"`
	VoicemailEmails   []string `mapstructure:"voicemail_emails"`
	Deliver           string   `mapstructure:"deliver_messages"`
	Straight          bool     `mapstructure:"send_straight_to_voicemail"`
	VoicemailMax      int      `mapstructure:"voicemail_max_length"`
	Transcribe        bool     `mapstructure:"transcribe"`
	DeleteRecording   bool     `mapstructure:"delete_recording_at_twilio"`
	MaxWaitTime       int      `mapstructure:"max_wait_time"`
	GiveUp            string   `mapstructure:"give_up"`
	CallsPerNumber    int      `mapstructure:"calls_per_number"`
	BannedPhones      []string `mapstructure:"banned_phones"`
	SkipResolve       bool     `mapstructure:"skip_resolve_on_hangup"`
	ResolveOnComplete bool     `mapstructure:"resolve_on_completed"`
	FallbackURL       string   `mapstructure:"fallback_url"`
}

// Load reads a document of a format. Format 0 means today's format, unless the keys of the document
// show that it is older. Load always returns usable options: a value that it refuses is replaced by
// its default.
func Load(data []byte, format int, in Context) Result {
	// Should anything below fail, the document that came is kept as it is.
	r := Result{Document: data}
	values, err := object(data)
	if err != nil {
		r.Problems = append(r.Problems, integration.Problem{Code: "type", Message: "The options must be one JSON object."})
		values = map[string]any{}
	}
	// It is read nevertheless: after a downgrade calls must still be served.
	if format > Format {
		r.Problems = append(r.Problems, integration.Problem{Code: "format",
			Message: "The options were written by a newer version of the plugin (format " + strconv.Itoa(format) + "). Upgrade the plugin."})
	}
	migrated := migrate(values, format)
	// With keys renamed and in a fixed order. What is no object stays as it came.
	if err == nil {
		if out, mErr := json.Marshal(values); mErr == nil {
			r.Document = out
		}
	}
	// values keeps everything, for the document that is stored; known is what this release
	// understands.
	known := normalise(values)
	bad := &problems{}
	bad.schema(known)
	bad.check(known, in)
	for key := range bad.fields { // decode fills in their defaults
		delete(known, key)
	}
	doc := decode(known)
	r.Options = doc.options()
	r.Options.Prompts = sources(known)
	r.Problems = firstOf(append(r.Problems, bad.problems...))
	r.Warnings = append(migrated, firstOf(unknownFields(values))...)
	r.Warnings = append(r.Warnings, bad.warnings...)
	r.Warnings = append(r.Warnings, doc.warnings(in, r.Options)...)
	return r
}

// object decodes exactly one JSON object. Numbers stay json.Number, so that saving a document does
// not change them. encoding/json alone would accept a second value behind the first.
func object(data []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v map[string]any
	if err := dec.Decode(&v); err != nil || v == nil {
		return nil, errors.New("no JSON object")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

// normalise copies the known fields and trims texts. null counts as absent. So does an empty text
// for a secret, a choice, a number or a required field, because forms send it for a field left
// empty. It copies, because values is what will be saved.
func normalise(values map[string]any) map[string]any {
	out := map[string]any{}
	for key, v := range values {
		f, known := form().fields[key]
		if !known || v == nil {
			continue
		}
		if s, ok := v.(string); ok {
			s = strings.TrimSpace(s)
			if s == "" && (f.Secret || len(f.Enum) > 0 || f.Type != "string" || f.Required) {
				continue
			}
			v = s
		}
		out[key] = plainNumbers(v)
	}
	return out
}

// plainNumbers writes numbers as checks and decoding can take them: 1e2 and 100.0 as 100. A number
// beyond all limits becomes one that is too large as well, but can be computed with: for
// 1e999999999 the schema's library has no value at all. Lists and mappings are copied, with their
// numbers written so.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return v
		}
		const tooLarge = 1e300
		f, _ := v.Float64() // infinite where a float64 ends
		f = min(max(f, -tooLarge), tooLarge)
		// Up to there a float64 has each whole number exactly.
		if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return json.Number(strconv.FormatInt(int64(f), 10))
		}
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plainNumbers(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, e := range v {
			out[key] = plainNumbers(e)
		}
		return out
	}
	return v
}

// firstOf cuts a list of problems and says how many there are more: whoever reads them corrects the
// first ones and saves again. 20 fit on a screen.
func firstOf(all []integration.Problem) []integration.Problem {
	const most = 20
	if len(all) <= most {
		return all
	}
	return append(all[:most:most], integration.Problem{Code: "more", Message: fmt.Sprintf("… and %d more.", len(all)-most)})
}

// unknownFields warns about fields that the form does not have. They are kept, because a newer
// version may have written them, and reported, because they may be a typing error. Only names are
// shown: an unknown field may hold a secret.
func unknownFields(values map[string]any) []integration.Problem {
	var out []integration.Problem
	for key := range values {
		if _, known := form().fields[key]; !known {
			out = append(out, integration.Problem{Path: cut(key), Code: "unknown", Message: "The field " + strconv.Quote(cut(key)) + " is unknown to this version. It is kept and ignored."})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

// cut shortens a key for a message. A key is not a value, but it may be as long as a document.
func cut(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// decode fills a document with the form's defaults and the given values. Values were checked
// before, so decoding them cannot fail; if it does, the defaults stay. The error of mapstructure is
// dropped because it quotes values. Its result is complete: each field has the given value or the
// form's default.
func decode(known map[string]any) document {
	base := map[string]any{}
	for key, f := range form().fields {
		if f.Default != nil {
			base[key] = f.Default
		}
	}
	for key, v := range known {
		base[key] = v
	}
	for key, v := range base {
		if n, ok := v.(json.Number); ok {
			if i, err := n.Int64(); err == nil {
				base[key] = i
			}
		}
	}
	var d document
	if mapstructure.Decode(base, &d) == nil {
		return d
	}
	d = document{}
	for key, v := range base { // one by one, so that only the bad value is lost
		_ = mapstructure.Decode(map[string]any{key: v}, &d)
	}
	return d
}

// options maps the document to what the plugin works with: durations, numbers as Twilio sends them.
// Entries that cannot be read are left out: each of them is a problem that check has named.
func (d document) options() Options {
	o := Options{
		Account:  Account{SID: d.AccountSID, Key: d.APIKey, Secret: d.APISecret, Region: d.APIRegion},
		CallerID: d.callerID(),
		Country:  d.Country,
		Language: d.Language,
		Voice:    d.Voice,
		Fallback: d.FallbackURL,
	}
	// During a rotation Twilio signs with the old token until the new one is promoted.
	for _, t := range []string{d.AuthToken, d.AuthTokenPrevious} {
		if t != "" {
			o.Account.AuthTokens = append(o.Account.AuthTokens, t)
		}
	}
	for _, e := range d.VoicemailEmails {
		if r, ok := recipient(e); ok {
			o.MailTo = append(o.MailTo, r)
		}
	}
	second := time.Second
	o.Flow = config.Config{
		Reach:               config.Reach(d.Reach),
		ConfirmAnswer:       d.ConfirmAnswer,
		RingTimeout:         time.Duration(d.RingTimeout) * second,
		DialPause:           time.Duration(d.DialPause) * second,
		ForceInput:          d.ForceInput,
		MenuFallback:        config.Fallback(d.MenuFallback),
		MaxWait:             time.Duration(d.MaxWaitTime) * second,
		GiveUp:              config.GiveUp(d.GiveUp),
		CallsPerNumber:      d.CallsPerNumber,
		Voicemail:           d.Voicemail,
		VoicemailMaxLength:  time.Duration(d.VoicemailMax) * second,
		Deliver:             config.Deliver(d.Deliver),
		Transcribe:          d.Transcribe,
		DeleteRecording:     d.DeleteRecording,
		StraightToVoicemail: d.Straight && d.Voicemail, // nobody would be alerted without a message
		SkipResolveOnHangup: d.SkipResolve,
		ResolveOnCompleted:  d.ResolveOnComplete,
	}
	for _, r := range o.MailTo {
		o.Flow.MailsAddresses = o.Flow.MailsAddresses || r.Address != ""
	}
	// Two spellings of one number are one entry.
	for _, b := range d.BannedPhones {
		if entry, err := phone.ReadBan(b, d.Country); err == nil && !slices.Contains(o.Banned, entry) {
			o.Banned = append(o.Banned, entry)
		}
	}
	return o
}
