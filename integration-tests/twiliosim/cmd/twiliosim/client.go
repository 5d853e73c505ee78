package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// client speaks to a running simulator's control API.
type client struct {
	base string
}

func (c client) do(ctx context.Context, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.base, "/")+path, &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("simulator at %s (is \"twiliosim serve\" running?): %w", c.base, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		var e struct{ Error string }
		if json.NewDecoder(res.Body).Decode(&e) != nil || e.Error == "" {
			e.Error = res.Status
		}
		return fmt.Errorf("%s %s: %s", method, path, e.Error)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}

func (c client) calls(ctx context.Context) ([]twiliosim.CallView, error) {
	var out struct{ Calls []twiliosim.CallView }
	err := c.do(ctx, http.MethodGet, "/sim/calls", nil, &out)
	return out.Calls, err
}

func (c client) call(ctx context.Context, sid string) (twiliosim.CallView, error) {
	var out twiliosim.CallView
	err := c.do(ctx, http.MethodGet, "/sim/calls/"+url.PathEscape(sid), nil, &out)
	return out, err
}

func (c client) act(ctx context.Context, sid, what string, body any) error {
	return c.do(ctx, http.MethodPost, "/sim/calls/"+url.PathEscape(sid)+"/"+what, body, nil)
}

// events waits up to waitMS for events after a number.
func (c client) events(ctx context.Context, after int64, waitMS int) ([]twiliosim.Event, error) {
	var out struct{ Events []twiliosim.Event }
	err := c.do(ctx, http.MethodGet, "/sim/events?after="+strconv.FormatInt(after, 10)+"&wait_ms="+strconv.Itoa(waitMS), nil, &out)
	return out.Events, err
}
