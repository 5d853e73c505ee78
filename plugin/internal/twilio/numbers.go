package twilio

import (
	"context"
	"net/http"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// PhoneNumber is a number of the account and what Twilio does when it is called (Twilio docs:
// phone-numbers/api/incomingphonenumber-resource). Its configuration is per region.
type PhoneNumber struct {
	SID              string
	Number           string // E.164
	VoiceURL         string
	VoiceMethod      string
	VoiceFallbackURL string
	StatusCallback   string
	// VoiceApplicationSID and TrunkSID, when set, make Twilio ignore VoiceURL.
	VoiceApplicationSID string
	TrunkSID            string
}

func numberOf(n api.ApiV2010IncomingPhoneNumber) PhoneNumber {
	return PhoneNumber{
		SID: sid(SIDPhoneNumber, str(n.Sid)), Number: str(n.PhoneNumber), VoiceURL: str(n.VoiceUrl), VoiceMethod: str(n.VoiceMethod),
		VoiceFallbackURL: str(n.VoiceFallbackUrl), StatusCallback: str(n.StatusCallback),
		VoiceApplicationSID: str(n.VoiceApplicationSid), TrunkSID: str(n.TrunkSid),
	}
}

// PhoneNumbers lists the account's numbers, at most limit; with number only that one, compared whole (Twilio matches
// parts). A Standard key may ask this, unlike the account itself (Twilio docs: iam/api-keys).
func (c *Client) PhoneNumbers(ctx context.Context, number string, limit int) ([]PhoneNumber, error) {
	p := &api.ListIncomingPhoneNumberParams{}
	if number != "" {
		p.SetPhoneNumber(number)
	}
	p.SetPageSize(min(limit, 1000))
	p.SetLimit(limit)
	var out []PhoneNumber
	err := c.do(ctx, "listing phone numbers", func(s *api.ApiService) error {
		res, err := s.ListIncomingPhoneNumber(p)
		for _, r := range res {
			if n := numberOf(r); n.SID != "" && (number == "" || n.Number == number) {
				out = append(out, n)
			}
		}
		return err
	})
	return out, err
}

// Connect sets what Twilio asks when the number is called. Empty addresses clear the setting.
func (c *Client) Connect(ctx context.Context, numberSID, voiceURL, fallbackURL, statusCallback string) (PhoneNumber, error) {
	if err := need(SIDPhoneNumber, numberSID, "phone number"); err != nil {
		return PhoneNumber{}, err
	}
	post := http.MethodPost
	p := &api.UpdateIncomingPhoneNumberParams{}
	p.SetVoiceUrl(voiceURL)
	p.SetVoiceMethod(post)
	p.SetVoiceFallbackUrl(fallbackURL)
	p.SetVoiceFallbackMethod(post)
	p.SetStatusCallback(statusCallback)
	p.SetStatusCallbackMethod(post)
	var n PhoneNumber
	err := c.do(ctx, "configuring a phone number", func(s *api.ApiService) error {
		res, err := s.UpdateIncomingPhoneNumber(numberSID, p)
		if err == nil {
			n = numberOf(*res)
		}
		return err
	})
	return n, err
}
