package twiliosim

import (
	"net/http"
	"regexp"
	"strings"
)

func (s *Sim) restNumbers(handle func(string, restHandler)) {
	handle("GET /IncomingPhoneNumbers.json", s.listNumbers)
	handle("GET /IncomingPhoneNumbers/{number}", func(r *http.Request) (reply, *restError) {
		return s.withNumber(r, func(n *Number) *restError { return nil })
	})
	handle("POST /IncomingPhoneNumbers/{number}", s.updateNumber)
}

func (s *Sim) numberJSONLocked(n *Number) map[string]any {
	orNull := func(v string) any {
		if v == "" {
			return nil
		}
		return v
	}
	return map[string]any{
		"sid": n.Sid, "account_sid": s.cfg.AccountSid, "phone_number": n.PhoneNumber, "friendly_name": n.FriendlyName,
		"voice_url": n.VoiceURL, "voice_method": n.VoiceMethod, "voice_fallback_url": n.VoiceFallbackURL, "voice_fallback_method": n.VoiceFallbackMethod,
		"status_callback": n.StatusCallback, "status_callback_method": n.StatusCallbackMethod, "voice_caller_id_lookup": n.VoiceCallerIDLookup,
		"voice_application_sid": orNull(n.VoiceApplicationSid), "trunk_sid": orNull(n.TrunkSid), "voice_receive_mode": "voice",
		"sms_url": "", "sms_method": "POST", "sms_fallback_url": "", "sms_fallback_method": "POST", "sms_application_sid": nil,
		"address_requirements": "none", "address_sid": nil, "identity_sid": nil, "bundle_sid": nil, "beta": false, "origin": "twilio", "status": "in-use",
		"capabilities":     map[string]any{"voice": true, "sms": false, "mms": false, "fax": false},
		"emergency_status": "Inactive", "emergency_address_sid": nil, "emergency_address_status": "unregistered",
		"api_version": "2010-04-01", "date_created": stamp(n.created), "date_updated": stamp(n.updated),
		"uri": apiRoot + s.cfg.AccountSid + "/IncomingPhoneNumbers/" + n.Sid + ".json",
	}
}

// numberPattern is how Twilio matches the PhoneNumber filter: a part of the number; * stands for one digit.
func numberPattern(filter string) *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(filter), `\*`, `[0-9]`))
}

func (s *Sim) listNumbers(r *http.Request) (reply, *restError) {
	q := r.URL.Query()
	pattern := numberPattern(q.Get("PhoneNumber"))
	s.mu.Lock()
	rows := []any{}
	for _, n := range s.numbers {
		if pattern.MatchString(n.PhoneNumber) && match(q.Get("FriendlyName"), n.FriendlyName) {
			rows = append(rows, s.numberJSONLocked(n))
		}
	}
	s.mu.Unlock()
	return s.list(r, "incoming_phone_numbers", rows)
}

func (s *Sim) withNumber(r *http.Request, change func(*Number) *restError) (reply, *restError) {
	sid, asJSON := sidOf(r, "number")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.numbers {
		if asJSON && n.Sid == sid {
			if e := change(n); e != nil {
				return reply{}, e
			}
			return reply{status: 200, body: s.numberJSONLocked(n)}, nil
		}
	}
	return reply{}, notFound(r)
}

// updateNumber is POST /IncomingPhoneNumbers/{Sid}. An empty value clears a field.
func (s *Sim) updateNumber(r *http.Request) (reply, *restError) {
	f := r.PostForm
	s.refuseUnsimulated(r, "FriendlyName VoiceUrl VoiceMethod VoiceFallbackUrl VoiceFallbackMethod StatusCallback StatusCallbackMethod VoiceCallerIdLookup VoiceApplicationSid TrunkSid VoiceReceiveMode")
	return s.withNumber(r, func(n *Number) *restError {
		draft := *n
		for name, into := range map[string]*string{"VoiceUrl": &draft.VoiceURL, "VoiceFallbackUrl": &draft.VoiceFallbackURL, "StatusCallback": &draft.StatusCallback} {
			if !f.Has(name) {
				continue
			}
			v := f.Get(name)
			if v != "" && !absoluteURL(v) {
				return badRequest(21402, "%s is not a valid URL: %s", name, v)
			}
			*into = v
		}
		for name, into := range map[string]*string{"VoiceMethod": &draft.VoiceMethod, "VoiceFallbackMethod": &draft.VoiceFallbackMethod, "StatusCallbackMethod": &draft.StatusCallbackMethod} {
			if v := f.Get(name); v != "" {
				if methodOr(v, "") == "" {
					return badRequest(21403, "%s %s is invalid: want GET or POST", name, v)
				}
				*into = v
			}
		}
		if f.Has("FriendlyName") {
			draft.FriendlyName = f.Get("FriendlyName")
		}
		if f.Has("VoiceCallerIdLookup") {
			draft.VoiceCallerIDLookup = f.Get("VoiceCallerIdLookup") == "true"
		}
		if f.Has("VoiceApplicationSid") {
			draft.VoiceApplicationSid = f.Get("VoiceApplicationSid")
		}
		if f.Has("TrunkSid") {
			draft.TrunkSid = f.Get("TrunkSid")
		}
		draft.updated = s.clock.Now()
		*n = draft
		return nil
	})
}
