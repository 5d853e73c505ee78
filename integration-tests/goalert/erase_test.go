package goalert_test

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// record is what the host remembers of the call's alert, "": nothing.
func (c *call) record() string {
	c.t.Helper()
	text := ""
	_ = c.cfg.DB.Read().QueryRowContext(c.t.Context(), `select record from goalert_alerts where tenant = $1 and integration = $2 and alert_key = $3`,
		c.scope.Tenant, c.scope.Integration, c.key).Scan(&text) // no row: nothing
	return text
}

// GoAlert keeps its alert, and says so; what the host remembers of it, such as the caller's number
// and words, goes.
func TestADeletedAlertIsForgottenHere(t *testing.T) {
	t.Parallel()
	_, h, s, _, _ := ordinary(t)
	c := h.call(t)
	c.apply(create("Live call from +12025550199"))
	c.apply(integration.AlertCommand{Kind: integration.AlertAddField, Field: &integration.AlertField{Label: integration.LabelTranscription, Value: "the server is on fire"}})
	c.apply(route(s.ID))
	if err := h.EraseAlert(t.Context(), c.scope, c.key); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("deleting an open alert: %v, want a conflict", err)
	}
	if err := h.EraseRecordings(t.Context(), c.scope, c.key, nil, "deleted"); err != nil {
		t.Fatal(err)
	}
	if r := c.record(); !strings.Contains(r, "+12025550199") || strings.Contains(r, "fire") {
		t.Errorf("the record without what was said: %s", r)
	}
	if n, err := h.ForgetText(t.Context(), "+12025550199", "(forgotten)"); err != nil || n != 1 {
		t.Errorf("the number was replaced in %d records, %v; want 1", n, err)
	}
	if r := c.record(); !strings.Contains(r, "Live call from (forgotten)") {
		t.Errorf("the record without the number: %s", r)
	}
	c.apply(integration.AlertCommand{Kind: integration.AlertResolve})
	if err := h.EraseAlert(t.Context(), c.scope, c.key); integration.KindOf(err) != integration.KindUnsupported || !strings.Contains(err.Error(), "GoAlert keeps its alert") {
		t.Errorf("deleting the resolved alert: %v", err)
	}
	if r := c.record(); r != "" {
		t.Errorf("what is left of it here: %s", r)
	}
}
