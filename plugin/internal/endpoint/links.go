package endpoint

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/music"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// SessionPrefix precedes the caller's CallSid in the path of every address of a call.
const SessionPrefix = "/c/"

// PathFormat is the number of the layout of addresses that this version gives out.
const PathFormat = 1

const (
	// retryRule rides on every URL as its fragment, which is not signed: three repetitions after
	// failed connections and server errors (Twilio docs:
	// usage/webhooks/webhooks-connection-overrides).
	retryRule = "#rc=3&rp=ct,5xx"

	// Query fields of the URLs we give.
	QueryStep = "s" // number of the step whose document the address stood in
	QueryTick = "n" // number of the tick of the hold music
	// Seconds that the caller had waited when they last heard how long; none: 0.
	QuerySaid   = "l"
	QueryToken  = "t" // see [Links.Valid]
	queryFormat = "v" // see [PathFormat]
)

// Links makes the addresses of one call, and of the endpoint itself.
type Links struct {
	endpoint string
	key      []byte
	instance string
	call     string // the caller's CallSid
}

// NewLinks makes the links of a call, by the caller's CallSid; "": of the endpoint alone.
func NewLinks(in integration.Instance, call string) Links {
	return Links{endpoint: strings.TrimSuffix(in.EndpointURL, "/"), key: in.TokenKey, instance: in.ID, call: call}
}

// tokenOf is what a token follows from.
type tokenOf struct{ key, call, path string }

// tokens keeps the latest tokens: a document on hold leads back to the path that asked for it.
var tokens = newCache[tokenOf, string]()

// Token binds a path to its call under the instance's key: 128 bits are enough for something that
// is checked online.
func (l Links) Token(path string) string {
	of := tokenOf{string(l.key), l.call, path}
	return tokens.get(of, func() string {
		mac := hmac.New(sha256.New, []byte(of.key))
		mac.Write([]byte(of.call + "\n" + of.path))
		return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
	})
}

// Valid reports whether a token was made for a path of this call.
func (l Links) Valid(path, token string) bool {
	return len(l.key) > 0 && hmac.Equal([]byte(l.Token(path)), []byte(token))
}

// Ours reports whether an address is that of a path of the endpoint; "" is the endpoint itself.
func (l Links) Ours(address, path string) bool {
	address, _, _ = strings.Cut(address, "#")
	return strings.TrimSuffix(address, "/") == l.endpoint+path
}

// LegAddress returns an address that failed if we gave it to a responder's leg, whatever the call;
// "" if not. Its token is checked, so that nobody is sent where we did not send them.
func (l Links) LegAddress(address string) string {
	u, err := url.Parse(address)
	below, ours := strings.CutPrefix(address, l.endpoint+"/")
	if err != nil || !ours {
		return ""
	}
	path, _, _ := strings.Cut(below, "?")
	path, _, _ = strings.Cut(path, "#")
	r, ok := ParseRoute("/" + path)
	of := l
	of.call = r.Call
	if !ok || !r.OfLeg() || !of.Valid("/"+path, u.Query().Get(QueryToken)) {
		return ""
	}
	u.Fragment = ""
	return u.String() + retryRule
}

// Of are the links of another call of the same instance.
func (l Links) Of(call string) Links {
	l.call = call
	return l
}

// Endpoint is the address of the endpoint itself.
func (l Links) Endpoint() string { return l.endpoint }

// At is the URL that requests of this kind come to, for the document of a step.
func (l Links) At(kind event.Kind, step int) string { return l.build(kind, "", step, "") }

// Hold is the URL of the wait document, or of a key during it, with the number of the tick and the
// seconds that the caller had waited when they last heard how long.
func (l Links) Hold(kind event.Kind, step, tick, said int) string {
	more := strconv.AppendInt(append(make([]byte, 0, 32), "&"+QueryTick+"="...), int64(tick), 10)
	if said > 0 {
		more = strconv.AppendInt(append(more, "&"+QuerySaid+"="...), int64(said), 10)
	}
	return l.build(kind, "", step, string(more))
}

// Leg is the URL that requests of this kind come to from a responder's leg.
func (l Links) Leg(kind event.Kind, id string, step int) string {
	return l.build(kind, id, step, "")
}

// build makes an address: the path of the event, the format of the paths, the step, the token over
// the path and Twilio's rule for repetitions. Every kind of event that is built here has one path.
func (l Links) build(kind event.Kind, leg string, step int, more string) string {
	path := strings.Replace(strings.Replace(callflow.Paths(kind)[0], callPlaceholder, l.call, 1), legPlaceholder, leg, 1)
	return l.endpoint + path + "?" + queryFormat + "=" + strconv.Itoa(PathFormat) + "&" + QueryStep + "=" + strconv.Itoa(step) + more +
		"&" + QueryToken + "=" + l.Token(path) + retryRule
}

// Ring is the URL of the document of a test ring, whose session the links are of; round counts how
// often it has asked for a key.
func (l Links) Ring(round int) string {
	path := SessionPrefix + l.call + ringPath
	return l.endpoint + path + "?" + queryFormat + "=" + strconv.Itoa(PathFormat) + "&" + QueryStep + "=" + strconv.Itoa(round) +
		"&" + QueryToken + "=" + l.Token(path) + retryRule
}

// Plain is a URL of the endpoint itself, without a call.
func (l Links) Plain(path string) string { return l.endpoint + path + retryRule }

// Music is the address of a slice of our own hold music. It changes with the content, so that it
// may be kept for ever.
func (l Links) Music(slice int) string {
	return l.Plain("/media/music-" + strconv.Itoa(slice) + ".wav?h=" + music.Slice(slice).Hash[:16])
}

// Queue is the name of the call's own queue.
func (l Links) Queue() string { return QueuePrefix(l.instance) + l.call }

// QueuePrefix begins the names of an instance's queues. With a CallSid behind it the name keeps
// Twilio's limit, whatever the instance is called.
func QueuePrefix(instance string) string {
	if len(instance) > twiml.MaxQueueName-len("lcr--")-34 || strings.Trim(instance, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		sum := sha256.Sum256([]byte(instance))
		instance = hex.EncodeToString(sum[:10])
	}
	return "lcr-" + instance + "-"
}

// Parameters are a request's fields without those that we, or a host that repeats a request, wrote
// into its address: they are not the caller's affair, and one is a secret.
func Parameters(form url.Values) map[string]string {
	out := map[string]string{}
	for name, values := range form {
		switch name {
		case QueryStep, QueryTick, QuerySaid, QueryToken, queryFormat, integration.FallbackCountField, integration.FallbackSinceField:
		default:
			out[name] = values[0]
		}
	}
	return out
}
