package engine

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/tracing"
)

const (
	// insteadTimeout bounds what is done for a request after its handler has failed, such as
	// looking for a fallback answer.
	insteadTimeout = time.Second
	maxKeyLength   = 64 // bytes of a session key that comes from outside
)

// Webhook runs the handler and returns its answer, after the commit; req.Facts is filled in here. A
// request for an unknown integration is answered "not in service" if it looks like one of a
// plugin's service, else it gets not_found. An error of kind invalid refuses the request
// ([Engine.Refused]); any other means that there is no answer ([Engine.Fallback]). Where the answer
// is ignored the request is kept for later (204), or its sender is to come again (503).
func (e *Engine) Webhook(ctx context.Context, id string, req integration.WebhookRequest) (integration.Response, error) {
	if req.ReceivedAt.IsZero() {
		// What a plugin makes of a request must not depend on when it is handled: it may wait for a
		// lock, for a new process, or be kept for later.
		req.ReceivedAt = e.clock.Now()
	}
	in, err := e.known.Integration(ctx, id)
	if err != nil {
		if integration.KindOf(err) == integration.KindNotFound {
			return e.notInService(ctx, req)
		}
		if e.answerIgnored(ctx, req.Path) {
			return comeAgain(), nil // a document would tell the sender that the request has arrived
		}
		return integration.Response{}, err
	}
	// What is remembered by its name must not keep the whole request, of whose text id is a part.
	id = in.ID
	desc, err := e.known.Description(ctx, in.Plugin)
	if err != nil {
		return integration.Response{}, err
	}
	key, form := sessionKey(desc.Webhook, req)
	tracing.Current(ctx).Set(tracing.Call, key)
	// New callers hear that the number is not in service; calls that it has are served to their
	// end.
	if !in.DeletedAt.IsZero() {
		switch _, err := e.store.Session(ctx, id, key); {
		case integration.KindOf(err) == integration.KindNotFound:
			return e.notInService(ctx, req) // it is kept for the calls it had
		case err != nil:
			return integration.Response{}, err
		}
	}
	// The first request of a session can only name it in its form.
	begins := form != nil && in.DeletedAt.IsZero() && !matchesAny(desc.Webhook.IgnoredAnswerPaths, req.Path)
	j := webhookJob(id, key, loading{instance: in, begins: begins}, req)
	j.ahead, j.form = desc.Webhook.RecentCalls, form
	outcome, err := e.run(ctx, j)
	e.presence.Heard(id, key, outcome, err, req.ReceivedAt)
	switch {
	// What the plugin refuses for good (invalid) would be refused later as well.
	case err != nil && integration.KindOf(err) != integration.KindInvalid && matchesAny(desc.Webhook.IgnoredAnswerPaths, req.Path):
		return e.deferWebhook(ctx, id, key, req, err), nil
	case err != nil:
		return integration.Response{}, err
	case outcome.Response == nil:
		return integration.Response{}, integration.Errorf(integration.KindInternal, "the webhook handler gave no answer")
	}
	return *outcome.Response, nil
}

// webhookJob is the run of HandleWebhook for a request. The request is a copy, so each attempt gets
// its own facts.
func webhookJob(id, key string, how loading, req integration.WebhookRequest) job {
	return job{
		integration: id, key: key, handler: "webhook", loading: how, request: &req,
		call: func(ctx context.Context, p integration.Integration, f integration.Facts) (integration.Outcome, error) {
			req.Facts = f
			return p.HandleWebhook(ctx, req)
		},
	}
}

// recentCallsAhead is the question that the handler of a request will ask, as its plugin says. A
// number that is to be asked about in other words, the handler asks about itself.
func recentCallsAhead(q integration.RecentCallsQuestion, form url.Values, now time.Time) []integration.Question {
	from := form.Get(q.Field)
	if from == "" || len(from) > maxKeyLength {
		return nil
	}
	return []integration.Question{{ID: q.IDPrefix + from, Kind: integration.AskRecentCalls, From: from, Since: now.Add(-q.Window)}}
}

// Refused is the fixed answer for a request that cannot be served for its own fault; false when no
// plugin offers one.
func (e *Engine) Refused(ctx context.Context, id string) (integration.Response, bool) {
	ctx, cancel := context.WithTimeout(ctx, insteadTimeout)
	defer cancel()
	in, err := e.known.Integration(ctx, id)
	if err != nil {
		return integration.Response{}, false
	}
	desc, err := e.known.Description(ctx, in.Plugin)
	return desc.Webhook.Refused, err == nil
}

// IgnoresAnswer reports whether a plugin says that the answer to requests at this path of an
// integration is ignored. It uses what is known of both already; false where nothing is.
func (e *Engine) IgnoresAnswer(id, path string) bool {
	in, known := e.known.LastIntegration(id)
	if !known {
		return false
	}
	desc, known := e.known.LastDescription(in.Plugin)
	return known && matchesAny(desc.Webhook.IgnoredAnswerPaths, path)
}

// Fallback is what to answer when Webhook returned an error; false when there is nothing to answer
// with. It needs neither store nor plugin once both have been seen.
func (e *Engine) Fallback(ctx context.Context, id string) (integration.FallbackAnswers, bool) {
	ctx, cancel := context.WithTimeout(ctx, insteadTimeout)
	defer cancel()
	in, ok := e.known.LastIntegration(id)
	if !ok {
		var err error
		if in, err = e.store.KeptIntegration(ctx, id); err != nil {
			// Not even the integration is known: whatever plugin there is knows how to ask for
			// patience.
			for _, pid := range e.plugins.PluginIDs() {
				if desc, err := e.known.Description(ctx, pid); err == nil {
					return desc.Webhook.Fallback, true
				}
			}
			return integration.FallbackAnswers{}, false
		}
	}
	if len(in.Fallback.Wait.Body) > 0 {
		return in.Fallback, true
	}
	desc, err := e.known.Description(ctx, in.Plugin)
	return desc.Webhook.Fallback, err == nil
}

// notInService answers a request for an integration that does not exist. The first plugin that
// recognises its service's requests gives the words; whoever else asks for an unknown address gets
// KindNotFound.
func (e *Engine) notInService(ctx context.Context, req integration.WebhookRequest) (integration.Response, error) {
	form := req.Form()
	for _, pid := range e.plugins.PluginIDs() {
		desc, err := e.known.Description(ctx, pid)
		if err != nil || len(desc.Webhook.ShapeFields) == 0 {
			continue
		}
		shaped := true
		for _, f := range desc.Webhook.ShapeFields {
			shaped = shaped && form.Get(f) != ""
		}
		if shaped {
			return desc.Webhook.NotInService, nil
		}
	}
	return integration.Response{}, errNoIntegration()
}

// errNoIntegration is the error for an integration that does not exist, or no longer.
func errNoIntegration() error {
	return integration.Errorf(integration.KindNotFound, "there is no such integration")
}

// Describe makes every installed plugin say what it is, so that fallback answers are at hand before
// the first call, and chooses the formats that they write.
func (e *Engine) Describe(ctx context.Context) error {
	for _, id := range e.plugins.PluginIDs() {
		if _, err := e.known.Description(ctx, id); err != nil {
			return err
		}
	}
	// Until Run succeeds with it, they write those of the release before.
	_ = e.formats.Choose(ctx)
	return nil
}

// DescribeAgain makes a plugin say what it is after it was exchanged, rather than a minute later.
func (e *Engine) DescribeAgain(ctx context.Context, pluginID string) error {
	_, err := e.known.Describe(ctx, pluginID, 0)
	return err
}

// sessionKey finds the session a request belongs to: in its path, else in its form, which it then
// returns as well.
func sessionKey(d integration.WebhookDescription, req integration.WebhookRequest) (key string, form url.Values) {
	if rest, ok := strings.CutPrefix(req.Path, d.SessionPrefix); ok && d.SessionPrefix != "" {
		key, _, _ := strings.Cut(rest, "/")
		return cleanKey(key), nil
	}
	if d.SessionField == "" {
		return "", nil
	}
	form = req.Form()
	return cleanKey(form.Get(d.SessionField)), form
}

// cleanKey refuses what cannot be a key: it will be stored, logged and put into paths. Letters,
// digits, "-" and "_" are allowed. The key of the integration's own session is not, or anybody
// could run handlers on it.
func cleanKey(key string) string {
	if len(key) > maxKeyLength || key == integration.IntegrationSessionKey {
		return ""
	}
	for _, r := range key {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return ""
		}
	}
	return key
}

// matchesAny compares a path with patterns in which "*" stands for one segment, as in
// integration.WebhookDescription.
func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, path) })
}

// matches compares segment by segment.
func matches(pattern, path string) bool {
	for {
		want, restWanted, more := strings.Cut(pattern, "/")
		have, rest, moreHad := strings.Cut(path, "/")
		if want != "*" && want != have || more != moreHad {
			return false
		}
		if !more {
			return true
		}
		pattern, path = restWanted, rest
	}
}
