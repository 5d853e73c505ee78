package endpoint

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// findingSigned begins the code of the finding that remembers, beside the form, when a signature
// was last right. The rest of the code stands for account, region and token: what was right of
// others says nothing. Renaming an integration, or changing any other option, changes none of it.
const findingSigned = "signature-valid"

// Authenticate says what is known of a request's origin. A wrong signature does not refuse a
// request by itself: the token may have been changed at Twilio. But nobody is woken before Twilio
// confirms the call.
func Authenticate(req integration.WebhookRequest, form twilio.Form, tokens []string) event.Auth {
	if len(tokens) == 0 {
		return event.AuthNoToken
	}
	signature := ""
	if v := req.Header[twilio.SignatureHeader]; len(v) > 0 {
		signature = v[0]
	}
	if twilio.ValidSignature(tokens, req.URL, form, signature) {
		return event.AuthSigned
	}
	return event.AuthMismatch
}

// signedKey is what the code of the finding follows from.
type signedKey struct {
	key     string // of the instance
	account string // SID, region and tokens, a line each
}

// signedCodes keeps the codes of signedCode.
var signedCodes = newCache[signedKey, string]()

// signedCode is the code of the finding for today's account, region and token.
func signedCode(f integration.Facts, account options.Account) string {
	lines := account.SID + "\n" + account.Region + "\n"
	for _, token := range account.AuthTokens {
		lines += token + "\n"
	}
	of := signedKey{string(f.Instance.TokenKey), lines}
	return signedCodes.get(of, func() string {
		mac := hmac.New(sha256.New, []byte(of.key))
		_, _ = mac.Write([]byte(of.account)) // a hash does not fail
		return findingSigned + "-" + hex.EncodeToString(mac.Sum(nil)[:6])
	})
}

// LastSigned is when a signature was last seen to be right with today's token; zero: never.
func LastSigned(f integration.Facts, account options.Account) time.Time {
	code := signedCode(f, account)
	for _, x := range f.Findings {
		if x.Code == code && x.Severity != integration.FindingClear {
			return x.At
		}
	}
	return time.Time{}
}

// signedEvery is how often the time of the last valid signature is brought up to date, by arriving
// calls alone: the quiet tick stays quiet.
const signedEvery = time.Hour

// SignatureFinding is what a request leaves beside the form: a valid signature says that the token
// is right. One that Twilio confirmed although its signature was wrong takes that back.
func SignatureFinding(f integration.Facts, account options.Account, auth event.Auth, arrival bool) []integration.Finding {
	if auth != event.AuthSigned || f.FindingsUnknown {
		// What is remembered cannot be brought up to date unseen.
		return nil
	}
	last := LastSigned(f, account)
	if !last.IsZero() && (!arrival || f.Now.Sub(last) < signedEvery) {
		return nil
	}
	code := signedCode(f, account)
	out := forgetSigned(f, code)
	return append(out, integration.Finding{
		Code: code, Severity: integration.FindingInfo, Field: "auth_token", At: f.Now,
		Message: "Requests carry valid signatures: the Auth Token is right.",
	})
}

// ForgetSigned clears what is remembered of valid signatures, once Twilio has confirmed a call
// whose signature was wrong: the token was changed.
func ForgetSigned(f integration.Facts) []integration.Finding { return forgetSigned(f, "") }

// forgetSigned clears all such findings but one.
func forgetSigned(f integration.Facts, but string) []integration.Finding {
	var out []integration.Finding
	for _, x := range f.Findings {
		if strings.HasPrefix(x.Code, findingSigned) && x.Code != but && x.Severity != integration.FindingClear {
			out = append(out, integration.Finding{Code: x.Code, Severity: integration.FindingClear, At: f.Now})
		}
	}
	return out
}
