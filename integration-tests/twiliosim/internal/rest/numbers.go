package rest

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// Numbers returns the account's numbers as the API shows them, oldest first.
func Numbers(a *account.Account) []any {
	a.Lock()
	defer a.Unlock()
	rows := []any{}
	for _, n := range a.Numbers {
		rows = append(rows, numberJSONLocked(a, n))
	}
	return rows
}

// numberJSONLocked writes all fields that Twilio's clients decode, those of SMS and emergency calls
// as for a number that has neither. Source: Twilio docs,
// phone-numbers/api/incomingphonenumber-resource.
func numberJSONLocked(a *account.Account, n *account.Number) map[string]any {
	return map[string]any{
		"sid": n.Sid, "account_sid": a.Config.AccountSid, "phone_number": n.PhoneNumber, "friendly_name": n.FriendlyName,
		"voice_url": n.VoiceURL, "voice_method": n.VoiceMethod, "voice_fallback_url": n.VoiceFallbackURL, "voice_fallback_method": n.VoiceFallbackMethod,
		"status_callback": n.StatusCallback, "status_callback_method": n.StatusCallbackMethod, "voice_caller_id_lookup": n.VoiceCallerIDLookup,
		"voice_application_sid": orNull(n.VoiceApplicationSid), "trunk_sid": orNull(n.TrunkSid), "voice_receive_mode": "voice",
		"sms_url": "", "sms_method": "POST", "sms_fallback_url": "", "sms_fallback_method": "POST", "sms_application_sid": nil,
		"address_requirements": "none", "address_sid": nil, "identity_sid": nil, "bundle_sid": nil, "beta": false, "origin": "twilio", "status": "in-use",
		"capabilities":     map[string]any{"voice": true, "sms": false, "mms": false, "fax": false},
		"emergency_status": "Inactive", "emergency_address_sid": nil, "emergency_address_status": "unregistered",
		"api_version": "2010-04-01", "date_created": account.Date(n.Created), "date_updated": account.Date(n.Updated),
		"uri": uri(a, "IncomingPhoneNumbers", n.Sid) + ".json",
	}
}

// numberPattern is how Twilio matches the PhoneNumber filter: a part of the number; * stands for
// one digit.
func numberPattern(filter string) *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(filter), `\*`, `[0-9]`))
}

// listNumbers is GET /IncomingPhoneNumbers, with the filters PhoneNumber and FriendlyName.
func (api *API) listNumbers(r *http.Request) (reply, *apiError) {
	a := api.account
	q := r.URL.Query()
	pattern := numberPattern(q.Get("PhoneNumber"))
	a.Lock()
	rows := []any{}
	for _, n := range a.Numbers {
		if pattern.MatchString(n.PhoneNumber) && matches(q.Get("FriendlyName"), n.FriendlyName) {
			rows = append(rows, numberJSONLocked(a, n))
		}
	}
	a.Unlock()
	return list(r, "incoming_phone_numbers", rows)
}

// withNumber finds the number of the path, changes it with the lock held, and answers with it.
func (api *API) withNumber(r *http.Request, change func(*account.Number) *apiError) (reply, *apiError) {
	a := api.account
	sid, asJSON := sidInPath(r, "number")
	a.Lock()
	defer a.Unlock()
	for _, n := range a.Numbers {
		if asJSON && n.Sid == sid {
			if e := change(n); e != nil {
				return reply{}, e
			}
			return ok(numberJSONLocked(a, n))
		}
	}
	return reply{}, notFound(r)
}

// fetchNumber is GET /IncomingPhoneNumbers/{Sid}.
func (api *API) fetchNumber(r *http.Request) (reply, *apiError) {
	return api.withNumber(r, func(*account.Number) *apiError { return nil })
}

// updateNumber is POST /IncomingPhoneNumbers/{Sid}. A number is changed whole, or not at all.
func (api *API) updateNumber(r *http.Request) (reply, *apiError) {
	api.reportUnsimulated(r, "FriendlyName", "VoiceUrl", "VoiceMethod", "VoiceFallbackUrl", "VoiceFallbackMethod", "StatusCallback", "StatusCallbackMethod",
		"VoiceCallerIdLookup", "VoiceApplicationSid", "TrunkSid", "VoiceReceiveMode")
	return api.withNumber(r, func(n *account.Number) *apiError {
		draft := *n
		if e := fillNumber(&draft, r.PostForm); e != nil {
			return e
		}
		draft.Updated = api.account.Clock.Now()
		*n = draft
		return nil
	})
}

// fillNumber changes what a form names. An empty value clears a field, except a method.
func fillNumber(n *account.Number, f url.Values) *apiError {
	for name, into := range map[string]*string{"VoiceUrl": &n.VoiceURL, "VoiceFallbackUrl": &n.VoiceFallbackURL, "StatusCallback": &n.StatusCallback} {
		if !f.Has(name) {
			continue
		}
		v := f.Get(name)
		if v != "" && !isAbsoluteURL(v) {
			return badRequest(21402, "%s is not a valid URL: %s", name, v)
		}
		*into = v
	}
	for name, into := range map[string]*string{"VoiceMethod": &n.VoiceMethod, "VoiceFallbackMethod": &n.VoiceFallbackMethod, "StatusCallbackMethod": &n.StatusCallbackMethod} {
		if v := f.Get(name); v != "" {
			if webhook.MethodOr(v, "") == "" {
				return badRequest(21403, "%s %s is invalid: want GET or POST", name, v)
			}
			*into = v
		}
	}
	for name, into := range map[string]*string{"FriendlyName": &n.FriendlyName, "VoiceApplicationSid": &n.VoiceApplicationSid, "TrunkSid": &n.TrunkSid} {
		if f.Has(name) {
			*into = f.Get(name)
		}
	}
	if f.Has("VoiceCallerIdLookup") {
		n.VoiceCallerIDLookup = f.Get("VoiceCallerIdLookup") == "true"
	}
	return nil
}
