package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/internal/gendoc"
)

// TestDocumentationIsCurrent compares the references of the API and of the contract with their
// sources.
func TestDocumentationIsCurrent(t *testing.T) {
	t.Parallel()
	for kind, tc := range map[string]struct {
		from string
		want []string
	}{
		"api":      {"../../host-sdk/cmd/switchboard/internal/api/openapi.json", []string{"| `GET /alerts` |", "`status`"}},
		"contract": {"../../host-sdk/integration", []string{"| `Integration` |", "| `Integration.HandleWebhook` |", "| `ProtocolMinor` |"}},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			page, err := os.ReadFile("../reference-" + kind + ".md")
			if err != nil {
				t.Fatal(err)
			}
			text, err := kinds[kind](tc.from)
			if err != nil {
				t.Fatal(err)
			}
			want, err := gendoc.Replace(string(page), kind, text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, string(page)); diff != "" {
				t.Errorf("the page is out of date: run make generate (-want +page):\n%s", diff)
			}
			for _, part := range tc.want {
				if !strings.Contains(text, part) {
					t.Errorf("the reference has no %q", part)
				}
			}
		})
	}
}
