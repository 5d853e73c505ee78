package pages_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// foreignPlatform is a platform that shows its alerts itself, and lists neither people nor routers
// nor handoffs.
type foreignPlatform struct{ platform.Platform }

// Alert implements platform.Platform.
func (f foreignPlatform) Alert(ctx context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	s, err := f.Platform.Alert(ctx, scope, key)
	s.URL = "https://alerts.example.com/" + s.ID
	return s, err
}

func TestPlatformThatShowsItsAlertsItself(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	s := &site{h, t}
	h.Serve(s.handler(options{platform: foreignPlatform{h.Platform}}))
	b := s.browser()
	b.post("/login", url.Values{"token": {hosttest.Token}, "next": {"/oncall"}}).is(200).has("DevOps", "Bob Example").hasNot(`id="nav-alerts"`, "Until ")
	alert := s.call(b.create(), "CA01")
	if got := b.get("/").path; got != "/calls" {
		t.Fatalf(`b.get("/").path = %q, want %q`, got, "/calls")
	}
	b.get("/calls/CA01").is(200).has("https://alerts.example.com/" + alert)
	b.get("/alerts").is(404).has("shows its alerts itself")
	b.get("/alerts/" + alert).is(404)
	b.post("/alerts/"+alert+"/resolve", url.Values{"user": {"alice"}}).is(404)
	b.get("/me").is(200).has("Your user id")
	b.post("/me", url.Values{"user": {"bob"}, "next": {"/calls"}}).is(200).has("Acting as </span>Bob Example")
}

// brokenPlugin does not answer.
type brokenPlugin struct{ hosttest.Plugin }

// Describe implements integration.Integration.
func (brokenPlugin) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	return integration.Description{}, integration.ErrPluginGone
}

type severalPlugins struct{}

func (severalPlugins) Plugin(id string) (integration.Integration, bool) {
	if id == "broken" {
		return brokenPlugin{}, true
	}
	return hosttest.Plugin{}, id == hosttest.PluginID
}

func (severalPlugins) PluginIDs() []string { return []string{hosttest.PluginID, "broken"} }

func TestSeveralPlugins(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{plugins: severalPlugins{}})
	b := s.loggedIn("alice")
	b.get("/settings/integrations/new").is(200).has("Which plugin should answer the phone?", "Test line", "?plugin=broken", "?plugin="+hosttest.PluginID)
	b.get("/settings/integrations/new?plugin=" + hosttest.PluginID).is(200).has("Greeting")
	b.get("/settings/integrations/new?plugin=broken").is(503).has("Temporarily unavailable")
}

type noPlugins struct{}

func (noPlugins) Plugin(string) (integration.Integration, bool) { return nil, false }
func (noPlugins) PluginIDs() []string                           { return nil }

func TestNoPlugin(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{plugins: noPlugins{}})
	b := s.loggedIn("alice")
	b.get("/settings/integrations").is(200).has("No plugin is installed: put one").hasNot(`id="new-integration"`)
	b.get("/settings/integrations/new").is(409).has("No plugin is installed")
}
