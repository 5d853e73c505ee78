package wording

import (
	"fmt"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestPlainErrors(t *testing.T) {
	t.Parallel()
	known := integration.Errorf(integration.KindInvalid, "secret key: wrong")
	if got := Plain(known); got != "secret key: wrong" {
		t.Fatalf("plain(known) = %q, want %q", got, "secret key: wrong")
	}
	if got := Plain(fmt.Errorf("store: %w", known)); got != "store: secret key: wrong" {
		t.Fatalf(`Plain(fmt.Errorf("store: %%w", known)) = %q, want %q`, got, "store: secret key: wrong")
	}
	if got := OneLine("a\n  b\n"); got != "a; b" {
		t.Fatalf(`OneLine("a\n b\n") = %q, want %q`, got, "a; b")
	}
}
