package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// addressName is the file in the data directory that says where the running host can be reached
// from this machine.
const addressName = "address"

// askTime bounds an action that a person waits for.
const askTime = time.Minute

// inUseError: another process holds the data directory.
type inUseError struct{ text string }

// Error implements error.
func (e *inUseError) Error() string { return e.text }

// Ask runs an action of an integration for a person at a terminal. Where a host runs on the data
// directory, that host is asked by its API; where none does, the store is opened for a moment, and
// so it is with PostgreSQL, which many may share.
func Ask(ctx context.Context, s settings.Settings, id, action string, values map[string]string) (result integration.ActionResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	defer func() {
		if err != nil {
			err = errors.New(Redactor(s).Replace(oneLine(plain(err))))
		}
	}()
	if s.Postgres() {
		return askStore(ctx, s, id, action, values)
	}
	if _, err := os.Stat(filepath.Join(s.DataDir, settings.DatabaseFile)); errors.Is(err, fs.ErrNotExist) {
		return result, fmt.Errorf("data directory %s: it contains no database yet: run switchboard serve and create an integration first, or name the right directory with --data-dir", s.DataDir)
	}
	release, err := lockDataDir(s.DataDir)
	var used *inUseError
	switch {
	case errors.As(err, &used):
		return askHost(ctx, s, id, action, values)
	case err != nil:
		return result, err
	}
	defer release()
	if err := s.KeepSecrets(); err != nil {
		return result, err
	}
	return askStore(ctx, s, id, action, values)
}

// askStore runs the action in this process.
func askStore(ctx context.Context, s settings.Settings, id, action string, values map[string]string) (integration.ActionResult, error) {
	var none integration.ActionResult
	public := s.PublicURL
	if public == "" {
		public = "http://" + s.Listen
	}
	parts, err := openParts(ctx, s, nil, public, slog.New(slog.DiscardHandler))
	if err != nil {
		return none, err
	}
	defer parts.close()
	eng, err := engine.New(parts.engineConfig(s, public))
	if err != nil {
		return none, err
	}
	return eng.RunAction(ctx, id, action, values)
}

// askHost asks the running host.
func askHost(ctx context.Context, s settings.Settings, id, action string, values map[string]string) (integration.ActionResult, error) {
	var none integration.ActionResult
	base := "http://" + s.Listen
	if kept, err := os.ReadFile(filepath.Join(s.DataDir, addressName)); err == nil {
		base = strings.TrimSpace(string(kept))
	}
	token := s.APIToken.Reveal()
	if token == "" {
		kept, err := os.ReadFile(filepath.Join(s.DataDir, settings.APITokenFile))
		if err != nil {
			return none, errors.New("the running switchboard has an API token of its own: set SWITCHBOARD_API_TOKEN here too")
		}
		token = strings.TrimSpace(string(kept))
	}
	body, err := json.Marshal(map[string]any{"values": values})
	if err != nil {
		return none, err
	}
	address := base + api.Prefix + "/integrations/" + url.PathEscape(id) + "/actions/" + url.PathEscape(action)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return none, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return none, fmt.Errorf("the running switchboard does not answer at %s: %w", base, rootCause(err))
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return none, fmt.Errorf("the running switchboard at %s: %w", base, err)
	}
	var answer struct {
		httpkit.ErrorBody
		OK    bool                     `json:"ok"`
		Lines []integration.ActionLine `json:"lines"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return none, fmt.Errorf("the running switchboard at %s answered with status %d and no readable error", base, resp.StatusCode)
	}
	if resp.StatusCode != http.StatusOK {
		return none, fmt.Errorf("the running switchboard at %s answered: %s", base, answer.Error.Message)
	}
	return integration.ActionResult{OK: answer.OK, Lines: answer.Lines}, nil
}

// keepAddress writes down where this host can be reached from this machine; forget takes it away.
func keepAddress(dir string, bound net.Addr) (forget func(), err error) {
	path := filepath.Join(dir, addressName)
	if err := os.WriteFile(path, []byte(settings.Settings{}.PublicURLFor(bound)+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("data directory %s: cannot be written: %w", dir, rootCause(err))
	}
	return func() { _ = os.Remove(path) }, nil
}
