package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// readyTime bounds the question whether a host is ready. The image's health check is given up after
// ten seconds: the host must be called silent before, so that the check can say so.
const readyTime = 5 * time.Second

// AskReady asks /readyz of the host at the address that the settings name, or of the one on their
// data directory, which needs no token. The error says why callers are not served there.
// The image and load balancers ask it every few seconds.
func AskReady(ctx context.Context, s settings.Settings) error {
	address := s.Host
	if address == "" {
		address = datadir.Address(s)
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(address, "/")+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the switchboard at %s has not answered for %s: it hangs, or its machine is overloaded; see its log", address, readyTime)
	}
	if err != nil {
		return fmt.Errorf("no switchboard answers at %s: %w: see whether it runs", address, wording.RootCause(err))
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("the switchboard at %s: %w", address, err)
	}
	return fmt.Errorf("the switchboard at %s does not serve callers (status %d): %s", address, resp.StatusCode, oneline.Clean(string(text), 500))
}
