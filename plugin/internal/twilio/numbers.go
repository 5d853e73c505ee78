package twilio

import (
	"context"
	"net/http"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// PhoneNumber is a number of the account and what Twilio does when it is called (Twilio docs:
// phone-numbers/api/incomingphonenumber-resource). Its configuration is per region.
type PhoneNumber struct {
	SID    string
	Number string // E.164
	NumberConfig
	// VoiceApplicationSID and TrunkSID, when set, make Twilio ignore VoiceURL.
	VoiceApplicationSID string
	TrunkSID            string
}

// NumberConfig is what Twilio asks when a number is called. Methods are GET or POST. It is what an
// action remembers and gives back, so it holds the methods, too.
type NumberConfig struct {
	VoiceURL             string
	VoiceMethod          string
	VoiceFallbackURL     string
	VoiceFallbackMethod  string
	StatusCallback       string
	StatusCallbackMethod string
}

// numberOf reads what twilio-go decoded.
func numberOf(n api.ApiV2010IncomingPhoneNumber) PhoneNumber {
	return PhoneNumber{
		SID: sid(SIDPhoneNumber, str(n.Sid)), Number: str(n.PhoneNumber),
		NumberConfig: NumberConfig{
			VoiceURL: str(n.VoiceUrl), VoiceMethod: str(n.VoiceMethod), VoiceFallbackURL: str(n.VoiceFallbackUrl),
			VoiceFallbackMethod: str(n.VoiceFallbackMethod), StatusCallback: str(n.StatusCallback), StatusCallbackMethod: str(n.StatusCallbackMethod),
		},
		VoiceApplicationSID: str(n.VoiceApplicationSid), TrunkSID: str(n.TrunkSid),
	}
}

// PhoneNumbers lists the account's numbers, at most limit; with number only that one, compared
// whole (Twilio matches parts). A Standard key may ask this, unlike the account itself (Twilio
// docs: iam/api-keys).
func (c *Client) PhoneNumbers(ctx context.Context, number string, limit int) ([]PhoneNumber, error) {
	p := &api.ListIncomingPhoneNumberParams{}
	if number != "" {
		p.SetPhoneNumber(number)
	}
	p.SetPageSize(min(limit, maxPage))
	p.SetLimit(limit)
	return list(ctx, c, "listing phone numbers", func(s *api.ApiService) ([]api.ApiV2010IncomingPhoneNumber, error) {
		return s.ListIncomingPhoneNumber(p)
	}, numberOf, func(n PhoneNumber) bool { return n.SID != "" && (number == "" || n.Number == number) })
}

// Configure sets what Twilio asks when the number is called. Empty addresses clear the setting; an
// empty method is POST. All six are set at once, so no half of an earlier configuration is left.
func (c *Client) Configure(ctx context.Context, numberSID string, to NumberConfig) (PhoneNumber, error) {
	if err := need(SIDPhoneNumber, numberSID, "phone number"); err != nil {
		return PhoneNumber{}, err
	}
	method := func(m string) string {
		if m == "" {
			return http.MethodPost
		}
		return m
	}
	p := &api.UpdateIncomingPhoneNumberParams{}
	p.SetVoiceUrl(to.VoiceURL)
	p.SetVoiceMethod(method(to.VoiceMethod))
	p.SetVoiceFallbackUrl(to.VoiceFallbackURL)
	p.SetVoiceFallbackMethod(method(to.VoiceFallbackMethod))
	p.SetStatusCallback(to.StatusCallback)
	p.SetStatusCallbackMethod(method(to.StatusCallbackMethod))
	return get(ctx, c, "configuring a phone number", func(s *api.ApiService) (*api.ApiV2010IncomingPhoneNumber, error) {
		return s.UpdateIncomingPhoneNumber(numberSID, p)
	}, numberOf)
}
