package webhook

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
)

// Limits of a webhook request. Source: Twilio docs, usage/webhooks/webhooks-connection-overrides;
// voice/twiml.
const (
	connectLimit  = 5 * time.Second
	totalLimit    = 15 * time.Second
	retryLimit    = 5
	redirectLimit = 10
)

// Kinds of failures after which a request may be sent again: the values of the setting rp.
const (
	failedConnect = "ct"
	failedRead    = "rt"
	failed4xx     = "4xx"
	failed5xx     = "5xx"
)

// overrides are the connection settings in a URL's fragment.
type overrides struct {
	connect, read, total time.Duration
	retries              int
	retryOn              map[string]bool // kinds of failures
}

// parseOverrides reads a fragment such as "rc=2&rp=5xx". What it does not name keeps its default.
func parseOverrides(fragment string) (overrides, *problem.Problem) {
	// Without a fragment Twilio repeats once, and only if no connection was made.
	o := overrides{connect: connectLimit, read: totalLimit, total: totalLimit, retries: 1, retryOn: map[string]bool{failedConnect: true}}
	if fragment == "" {
		return o, nil
	}
	values, err := url.ParseQuery(fragment)
	if err != nil {
		return o, badOverride("connection settings %s", fragment)
	}
	for _, setting := range []struct {
		key  string
		most int // milliseconds
		into *time.Duration
	}{{"ct", 10000, &o.connect}, {"rt", 15000, &o.read}, {"tt", 15000, &o.total}} {
		if v := values.Get(setting.key); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n < 100 || n > setting.most {
				return o, badOverride("connection setting %s=%s: want 100 to %d", setting.key, v, setting.most)
			}
			*setting.into = time.Duration(n) * time.Millisecond
		}
	}
	if v := values.Get("rc"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > retryLimit {
			return o, badOverride("connection setting rc=%s: want 0 to %d", v, retryLimit)
		}
		o.retries = n
	}
	if v := values.Get("rp"); v != "" {
		o.retryOn = map[string]bool{}
		for _, kind := range strings.Split(v, ",") {
			switch kind {
			case failed4xx, failed5xx, failedConnect, failedRead:
				o.retryOn[kind] = true
			// It replaces what was listed before, and what follows adds nothing.
			case "all":
				o.retryOn = map[string]bool{failed4xx: true, failed5xx: true, failedConnect: true, failedRead: true}
			default:
				return o, badOverride("connection setting rp=%s: want 4xx, 5xx, ct, rt, all", v)
			}
		}
	}
	// sni and e are Twilio's, too; they change nothing here.
	for key := range values {
		if !strings.Contains(" ct rt tt rc rp sni e ", " "+key+" ") {
			return o, badOverride("connection setting %s is unknown", key)
		}
	}
	return o, nil
}

// badOverride is Twilio's error for settings that it cannot read; the request is not made.
func badOverride(format string, args ...any) *problem.Problem {
	return &problem.Problem{Code: 11243, Text: fmt.Sprintf(format, args...)}
}
