package engine

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Webhook is an HTTP request of the foreign service as it came.
type Webhook struct {
	Method     string
	URL        string // absolute and public, as the peer requested it
	Path       string // below the endpoint: "/" for the endpoint itself
	Header     map[string][]string
	Body       []byte
	RemoteAddr string
}

// maxKeyLength bounds a session key that comes from outside.
const maxKeyLength = 64

// Webhook runs the handler and returns its answer, after the commit. Unknown integrations are told to anything that looks like a
// request of a plugin's service; other requests get not_found. Any other error means that no answer could be had: give a fallback answer.
func (e *Engine) Webhook(ctx context.Context, id string, w Webhook) (integration.Response, error) {
	req := integration.WebhookRequest{Method: w.Method, URL: w.URL, Path: w.Path, Header: w.Header, Body: w.Body, RemoteAddr: w.RemoteAddr}
	in, err := e.config(ctx, id)
	if err != nil {
		if integration.KindOf(err) == integration.KindNotFound {
			return e.notInService(ctx, req)
		}
		return integration.Response{}, err
	}
	desc, err := e.description(ctx, in.Plugin)
	if err != nil {
		return integration.Response{}, err
	}
	key := sessionKey(desc.Webhook, req)
	outcome, err := e.run(ctx, webhookJob(id, key, req))
	if err == nil {
		if outcome.Response == nil {
			return integration.Response{}, integration.Errorf(integration.KindInternal, "the webhook handler gave no answer")
		}
		return *outcome.Response, nil
	}
	if key != "" && matchesAny(desc.Webhook.IgnoredAnswerPaths, w.Path) {
		body, jsonErr := json.Marshal(req)
		if jsonErr != nil {
			return integration.Response{}, jsonErr
		}
		now := e.clock.Now()
		addErr := e.store.AddItem(context.WithoutCancel(ctx), store.Item{
			Integration: id, Key: key, Kind: store.ItemWebhook, Lane: "webhook", Due: now.Add(time.Second), NotAfter: now.Add(commandNotAfter),
			Phase: store.PhaseWaiting, Body: body,
		})
		if addErr == nil {
			e.log.Warn("request kept for later", "integration", id, "call", key, "path", w.Path, "error", err)
			e.outbox.wake()
			return integration.Response{Status: 204}, nil
		}
	}
	return integration.Response{}, err
}

func webhookJob(id, key string, req integration.WebhookRequest) job {
	return job{
		integration: id, key: key, handler: "webhook",
		call: func(ctx context.Context, p integration.Integration, f integration.Facts) (integration.Outcome, error) {
			req.Facts = f
			return p.HandleWebhook(ctx, req)
		},
	}
}

// Refused is the fixed answer for a request that cannot be served for its own fault; false when no plugin offers one.
func (e *Engine) Refused(ctx context.Context, id string) (integration.Response, bool) {
	in, err := e.config(ctx, id)
	if err != nil {
		return integration.Response{}, false
	}
	desc, err := e.description(ctx, in.Plugin)
	return desc.Webhook.Refused, err == nil
}

// Fallback is what to answer when Webhook returned an error. It needs neither store nor plugin once both have been seen.
func (e *Engine) Fallback(ctx context.Context, id string) (integration.FallbackAnswers, bool) {
	in, ok := e.configs.stale(id)
	if !ok {
		var err error
		if in, err = e.store.Integration(ctx, id); err != nil {
			// Not even the integration is known: whatever plugin there is knows how to ask for patience.
			for _, pid := range e.plugins.PluginIDs() {
				if desc, err := e.description(ctx, pid); err == nil {
					return desc.Webhook.Fallback, true
				}
			}
			return integration.FallbackAnswers{}, false
		}
	}
	if len(in.Fallback.Wait.Body) > 0 {
		return in.Fallback, true
	}
	desc, err := e.description(ctx, in.Plugin)
	return desc.Webhook.Fallback, err == nil
}

// notInService answers a request for an integration that does not exist.
func (e *Engine) notInService(ctx context.Context, req integration.WebhookRequest) (integration.Response, error) {
	form := req.Form()
	for _, pid := range e.plugins.PluginIDs() {
		desc, err := e.description(ctx, pid)
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
	return integration.Response{}, integration.Errorf(integration.KindNotFound, "there is no such integration")
}

// description asks a plugin once what it is; the answer outlives the plugin's process.
func (e *Engine) description(ctx context.Context, pluginID string) (integration.Description, error) {
	c := &e.configs
	now := e.clock.Now()
	c.mu.Lock()
	desc, ok := c.descs[pluginID]
	fresh := ok && now.Sub(c.descAt[pluginID]) < time.Minute
	c.mu.Unlock()
	if fresh {
		return desc, nil
	}
	p, installed := e.plugins.Plugin(pluginID)
	if !installed {
		if ok {
			return desc, nil
		}
		return desc, integration.Errorf(integration.KindUnavailable, "plugin %q is not installed", pluginID)
	}
	newer, err := p.Describe(ctx, integration.DescribeRequest{})
	if err != nil && !ok {
		return desc, err
	}
	if err == nil {
		desc = newer
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.descs == nil {
		c.descs, c.descAt = map[string]integration.Description{}, map[string]time.Time{}
	}
	c.descs[pluginID], c.descAt[pluginID] = desc, now
	return desc, nil
}

// Describe makes every installed plugin say what it is, so that fallback answers are at hand before the first call.
func (e *Engine) Describe(ctx context.Context) error {
	for _, id := range e.plugins.PluginIDs() {
		if _, err := e.description(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// sessionKey finds the session a request belongs to: in its path, else in its form.
func sessionKey(d integration.WebhookDescription, req integration.WebhookRequest) string {
	if rest, ok := strings.CutPrefix(req.Path, d.SessionPrefix); ok && d.SessionPrefix != "" {
		key, _, _ := strings.Cut(rest, "/")
		return cleanKey(key)
	}
	if d.SessionField == "" {
		return ""
	}
	return cleanKey(req.Form().Get(d.SessionField))
}

// cleanKey refuses what cannot be a key: it will be stored, logged and put into paths.
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

// matchesAny compares a path with patterns in which "*" stands for one segment.
func matchesAny(patterns []string, path string) bool {
	parts := strings.Split(path, "/")
next:
	for _, p := range patterns {
		want := strings.Split(p, "/")
		if len(want) != len(parts) {
			continue
		}
		for i := range want {
			if want[i] != "*" && want[i] != parts[i] {
				continue next
			}
		}
		return true
	}
	return false
}
