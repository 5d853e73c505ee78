package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/music"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

const (
	sessionPrefix = "/c/"

	// retryRule rides on every URL as its fragment, which is not signed: three repetitions after failed connections and
	// server errors (Twilio docs: usage/webhooks/webhooks-connection-overrides).
	retryRule = "#rc=3&rp=ct,5xx"

	// Query fields of the URLs we give.
	queryStep   = "s"
	queryTick   = "n"
	queryToken  = "t"
	queryFormat = "v"
)

// links makes the URLs of one call.
type links struct {
	endpoint string
	key      []byte
	instance string
	call     string // the caller's CallSid
}

func newLinks(in integration.Instance, call string) links {
	return links{endpoint: strings.TrimSuffix(in.EndpointURL, "/"), key: in.TokenKey, instance: in.ID, call: call}
}

// token binds a path to its call under the instance's key: 128 bits are enough for something that is checked online.
func (l links) token(path string) string {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(l.call + "\n" + path))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

func (l links) valid(path, token string) bool {
	return len(l.key) > 0 && hmac.Equal([]byte(l.token(path)), []byte(token))
}

// at is the URL that requests of this kind come to, for the document of a step.
func (l links) at(kind callflow.EventKind, step int) string { return l.build(kind, "", step, "") }

// hold is the URL of the wait document, or of a key during it, with the number of the tick.
func (l links) hold(kind callflow.EventKind, step, tick int) string {
	return l.build(kind, "", step, "&"+queryTick+"="+strconv.Itoa(tick))
}

// leg is the URL that requests of this kind come to from a responder's leg.
func (l links) leg(kind callflow.EventKind, id string, step int) string {
	return l.build(kind, id, step, "")
}

func (l links) build(kind callflow.EventKind, leg string, step int, more string) string {
	path := strings.NewReplacer(callPlaceholder, l.call, legPlaceholder, leg).Replace(kind.Paths()[0])
	return l.endpoint + path + "?" + queryFormat + "=" + strconv.Itoa(pathFormat) + "&" + queryStep + "=" + strconv.Itoa(step) + more +
		"&" + queryToken + "=" + l.token(path) + retryRule
}

// plain is a URL of the endpoint itself, without a call.
func (l links) plain(path string) string { return l.endpoint + path + retryRule }

// music is the address of a slice of our own hold music. It changes with the content, so that it may be kept for ever.
func (l links) music(slice int) string {
	return l.plain("/media/music-" + strconv.Itoa(slice) + ".wav?h=" + music.Slice(slice).Hash[:16])
}

// queue is the name of the call's own queue.
func (l links) queue() string { return queuePrefix(l.instance) + l.call }

// queuePrefix begins the names of an instance's queues. With a CallSid behind it the name keeps Twilio's limit, whatever
// the instance is called.
func queuePrefix(instance string) string {
	if len(instance) > twiml.MaxQueueName-len("lcr--")-34 || strings.Trim(instance, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		sum := sha256.Sum256([]byte(instance))
		instance = hex.EncodeToString(sum[:10])
	}
	return "lcr-" + instance + "-"
}

// dialableFrom is the number that responders see.
func dialableFrom(callerID string, s callflow.State) string {
	if callerID != "" {
		return callerID
	}
	return s.Caller.Called
}
