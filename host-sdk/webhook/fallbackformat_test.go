package webhook_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// Not every foreign service reads XML: the address to come back to can be used as it is written.
func TestTheRetryAddressIsWrittenAsTheAnswersTypeNeedsIt(t *testing.T) {
	t.Parallel()
	for kind, read := range map[string]func(body string) string{
		"text/plain; charset=utf-8": func(body string) string { return body },
		"application/json": func(body string) string {
			var answer struct{ Again string }
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Errorf("%s: %v", body, err)
			}
			return answer.Again
		},
		"text/xml": func(body string) string {
			return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(body, "<A>"), "</A>"), "&amp;", "&")
		},
	} {
		wait := map[string]string{"text/plain; charset=utf-8": "{{retry_url}}", "application/json": `{"again":"{{retry_url}}"}`, "text/xml": "<A>{{retry_url}}</A>"}[kind]
		f := &fakeEngine{
			answer: func(context.Context, string, integration.WebhookRequest) (integration.Response, error) {
				return integration.Response{}, integration.ErrPluginGone
			},
			fallback: &integration.FallbackAnswers{Wait: integration.Response{Header: map[string][]string{"Content-Type": {kind}}, Body: []byte(wait)}},
		}
		srv := serve(t, webhook.Config{Engine: f})
		_, body, _ := post(t, srv.URL+"/integrations/i/talk/K?s=1", "Conversation=K")
		u, err := url.Parse(read(body))
		if err != nil || !strings.HasSuffix(u.Path, "/integrations/i/talk/K") || u.Query().Get("s") != "1" || u.Query().Get(integration.FallbackCountField) != "1" || len(u.Query()) != 3 {
			t.Errorf("%s: %q leads to %v, %v", kind, body, u, err)
		}
	}
}
