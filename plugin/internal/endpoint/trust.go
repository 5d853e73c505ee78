package endpoint

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// FindingSigned remembers, beside the form, that the auth token has been right since it was saved:
// from then on a wrong signature is not a mistyped token, but somebody else.
const FindingSigned = "signature-valid"

// Authenticate says what is known of a request's origin.
func Authenticate(req integration.WebhookRequest, form twilio.Form, tokens []string) callflow.Auth {
	if len(tokens) == 0 {
		return callflow.AuthNoToken
	}
	signature := ""
	if v := req.Header[twilio.SignatureHeader]; len(v) > 0 {
		signature = v[0]
	}
	if twilio.ValidSignature(tokens, req.URL, form, signature) {
		return callflow.AuthSigned
	}
	if SignedSinceSaved(req.Facts) {
		return callflow.AuthRefused
	}
	return callflow.AuthMismatch
}

// SignedSinceSaved reports whether a signature has been right since the options were saved.
func SignedSinceSaved(f integration.Facts) bool {
	for _, x := range f.Findings {
		if x.Code == FindingSigned && x.Severity != integration.FindingClear && !x.At.Before(f.Instance.SavedAt) {
			return true
		}
	}
	return false
}

// signedEvery is how often the time of the last valid signature is brought up to date, by arriving
// calls alone: the quiet tick stays quiet.
const signedEvery = time.Hour

// SignatureFinding is what a request with a valid signature leaves beside the form.
func SignatureFinding(f integration.Facts, auth callflow.Auth, arrival bool) []integration.Finding {
	if auth != callflow.AuthSigned {
		return nil
	}
	for _, x := range f.Findings {
		if x.Code == FindingSigned && SignedSinceSaved(f) && (!arrival || f.Now.Sub(x.At) < signedEvery) {
			return nil
		}
	}
	return []integration.Finding{{
		Code: FindingSigned, Severity: integration.FindingInfo, Field: "auth_token", At: f.Now,
		Message: "Requests carry valid signatures: the Auth Token is right. Requests without one are refused from now on.",
	}}
}
