// Package demo starts the whole hotline on one machine: a simulated Twilio, switchboard with the
// plugin, an integration and its number, ready to be called. It is what `make run` shows, and what
// end-to-end tests and benchmarks start.
//
//	demo.go   Start, Stack
//	people.go whose telephones are shown
//	story.go  what is printed for people
package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/softphone"
	"github.com/livecallrouting/livecall/internal/tied"
)

// Number is the hotline's number in the simulated account.
const Number = "+12025550100"

// Config says what to start. Zero values have the stated meaning.
type Config struct {
	Switchboard string // path of the binary
	PluginDir   string // "": plugins beside the binary
	File        string // switchboard file; "": the sample
	DataDir     string // "": a temporary one, removed at the end
	Listen      string // switchboard's address; "": a free port of 127.0.0.1
	SimListen   string // the simulator's address; "": a free port of 127.0.0.1
	Clock       string // for both, see clock.Parse; "": the machine's
	Sim         twiliosim.Config
	WrapSim     func(http.Handler) http.Handler // around the simulator's HTTP interface, such as a checker
	Options     map[string]any                  // of the integration, besides credentials
	Teams       []string                        // destinations; nil: devops and support
	Env         []string                        // more environment for switchboard
	Log         io.Writer                       // switchboard's log; nil: discarded
	NoSetUp     bool                            // make no integration
}

// Stack is a running demonstration.
type Stack struct {
	Sim        *twiliosim.Sim
	SimURL     string
	URL        string // of switchboard
	Token      string // of its API
	ID         string // of the integration
	Endpoint   string // of the integration
	DataDir    string
	Clock      clock.Clock
	Process    *exec.Cmd
	cfg        Config
	simServer  *http.Server
	tempDir    string
	end        *ending
	listenAddr string
	file       string             // of switchboard
	people     []softphone.Person // in it
}

// Start starts everything and returns when the hotline can be called.
func Start(ctx context.Context, cfg Config) (s *Stack, err error) {
	s = &Stack{cfg: cfg}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if err = s.prepare(ctx); err != nil {
		return s, err
	}
	if err = s.startSim(); err != nil {
		return s, err
	}
	if err = s.StartSwitchboard(ctx); err != nil {
		return s, err
	}
	if cfg.NoSetUp {
		return s, nil
	}
	return s, s.setUp(ctx)
}

// prepare makes what both programs need to know before they start: clock, folder, token, people and
// switchboard's address.
func (s *Stack) prepare(ctx context.Context) (err error) {
	if s.Clock, err = clock.Parse(s.cfg.Clock); err != nil {
		return err
	}
	if s.DataDir = s.cfg.DataDir; s.DataDir == "" {
		if s.tempDir, err = os.MkdirTemp("", "livecall-demo-"); err != nil {
			return err
		}
		s.DataDir = filepath.Join(s.tempDir, "data")
	}
	secret := make([]byte, 16)
	_, _ = rand.Read(secret) // never fails, see crypto/rand
	s.Token = fmt.Sprintf("%x", secret)

	if s.file, err = s.switchboardFile(ctx); err != nil {
		return err
	}
	if s.people, err = readPeople(s.file); err != nil {
		return err
	}
	// A port that is free now: switchboard's address must be known before it starts, for its public
	// URL.
	if s.listenAddr = s.cfg.Listen; s.listenAddr == "" {
		free, err := listen("")
		if err != nil {
			return err
		}
		s.listenAddr = free.Addr().String()
		// Another process may take the port before switchboard does; it then says so and ends.
		_ = free.Close()
	}
	s.URL = "http://" + s.listenAddr
	return nil
}

// startSim starts the simulator, with the telephones of all people on its page.
func (s *Stack) startSim() (err error) {
	sim := s.cfg.Sim
	sim.Clock = s.Clock
	phones := softphone.New(softphone.Config{People: s.people, Links: []softphone.Link{
		{Title: "Alerts", URL: s.URL + "/alerts"}, {Title: "Calls", URL: s.URL + "/calls"}, {Title: "On call", URL: s.URL + "/oncall"}}})
	sim.Page = phones
	if s.Sim, err = twiliosim.New(sim); err != nil {
		return err
	}
	phones.Attach(s.Sim)
	var handler http.Handler = s.Sim
	if s.cfg.WrapSim != nil {
		handler = s.cfg.WrapSim(handler)
	}
	l, err := listen(s.cfg.SimListen)
	if err != nil {
		return err
	}
	s.SimURL = "http://" + l.Addr().String()
	s.simServer = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.simServer.Serve(l) }()
	return nil
}

// listen binds an address, "" a free port. The error says what a person can do about it.
func listen(address string) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("address %s cannot be used: %w: stop what uses it, or choose another", address, err)
	}
	return l, nil
}

// switchboardFile is the path of the file that is wanted, or of the sample, written for the
// purpose.
func (s *Stack) switchboardFile(ctx context.Context) (string, error) {
	if s.cfg.File != "" {
		return s.cfg.File, nil
	}
	file := filepath.Join(filepath.Dir(s.DataDir), "switchboard.yaml")
	sample, err := exec.CommandContext(ctx, s.cfg.Switchboard, "config", "sample").Output()
	if err != nil {
		return "", fmt.Errorf("%s config sample: %w", s.cfg.Switchboard, err)
	}
	return file, os.WriteFile(file, sample, 0o600)
}

// The most that switchboard takes to start and to stop, on a machine that is busy with much else.
const readyWithin, stopWithin = 2 * time.Minute, 2 * time.Minute

// StartSwitchboard starts the switchboard process (again) and waits until it is ready.
func (s *Stack) StartSwitchboard(ctx context.Context) error {
	cmd := exec.Command(s.cfg.Switchboard, "serve", "--config", s.file)
	cmd.Env = append(os.Environ(),
		"SWITCHBOARD_LISTEN="+s.listenAddr, "SWITCHBOARD_PUBLIC_URL="+s.URL, "SWITCHBOARD_DATA_DIR="+s.DataDir,
		"SWITCHBOARD_API_TOKEN="+s.Token, "LIVECALL_TWILIO_API_URL="+s.SimURL, "SWITCHBOARD_TEST_CLOCK="+s.cfg.Clock)
	if s.cfg.PluginDir != "" {
		cmd.Env = append(cmd.Env, "SWITCHBOARD_PLUGIN_DIR="+s.cfg.PluginDir)
	}
	cmd.Env = append(cmd.Env, s.cfg.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it does not get the Ctrl-C of the terminal: Stop ends it in order
	// The log may be discarded, but an error at the start must say what switchboard said.
	var lastLines tail
	cmd.Stderr = io.MultiWriter(&lastLines, orDiscard(s.cfg.Log))
	cmd.Stdout = cmd.Stderr
	if err := tied.Start(cmd); err != nil { // a killed test must leave no host behind
		return err
	}
	end := &ending{done: make(chan struct{})}
	s.Process, s.end = cmd, end
	go func() {
		end.err = cmd.Wait()
		close(end.done)
	}()
	deadline := time.Now().Add(readyWithin)
	for {
		if resp, err := http.Get(s.URL + "/readyz"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-end.done:
			s.Process = nil
			return fmt.Errorf("switchboard ended: %w: %s", errOrEnded(end.err), lastLines.String())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("switchboard is not ready after %s: %s", readyWithin, lastLines.String())
		}
	}
}

// orDiscard makes the zero value of Config.Log usable.
func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// errOrEnded gives an end without an error a text: a process that should run and has ended is wrong
// either way.
func errOrEnded(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// setUp makes the integration and points the number to it.
func (s *Stack) setUp(ctx context.Context) error {
	teams := s.cfg.Teams
	if teams == nil {
		teams = []string{"devops", "support"}
	}
	var err error
	s.ID, s.Endpoint, err = s.AddHotline(ctx, Number, teams, s.cfg.Options)
	return err
}

// AddHotline makes an integration and points a new number of the account to it, as a person would in
// Twilio's console. Destinations are ids of teams, or kind:id; options come without credentials.
func (s *Stack) AddHotline(ctx context.Context, number string, teams []string, more map[string]any) (id, endpoint string, err error) {
	c := s.cfg.Sim
	def := func(v, d string) string {
		if v == "" {
			return d
		}
		return v
	}
	options := map[string]any{
		"account_sid": def(c.AccountSid, twiliosim.DefaultAccountSid), "api_key": def(c.APIKey, twiliosim.DefaultAPIKey),
		"api_secret": def(c.APISecret, twiliosim.DefaultAPISecret), "auth_token": def(c.AuthToken, twiliosim.DefaultAuthToken),
	}
	for k, v := range more {
		options[k] = v
	}
	var destinations []map[string]string
	for _, t := range teams {
		kind, id, ok := strings.Cut(t, ":")
		if !ok {
			kind, id = "team", t
		}
		destinations = append(destinations, map[string]string{"kind": kind, "id": id})
	}
	var made struct {
		ID       string `json:"id"`
		Endpoint string `json:"endpoint_url"`
	}
	err = s.API(ctx, "POST", "/api/v1/integrations", map[string]any{
		"plugin": "livecall", "name": "Sample hotline", "enabled": true, "destinations": destinations, "options": options,
	}, &made)
	if err != nil {
		return "", "", err
	}
	_, err = s.Sim.AddNumber(twiliosim.Number{
		PhoneNumber: number, FriendlyName: "Sample hotline", VoiceURL: made.Endpoint, StatusCallback: made.Endpoint + "/status"})
	return made.ID, made.Endpoint, err
}

// API makes a request of switchboard's JSON API. Answers beyond 299 are errors with their body.
func (s *Stack) API(ctx context.Context, method, path string, body, into any) error {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, r)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.Token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode > 299 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, b)
	}
	if into == nil || len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, into)
}

// ending is the end of a process; err may be read once done is closed.
type ending struct {
	done chan struct{}
	err  error
}

// Exited is closed when the switchboard process has ended; ExitError then says how.
func (s *Stack) Exited() <-chan struct{} { return s.end.done }

// ExitError is how the process ended; call it when Exited is closed.
func (s *Stack) ExitError() error { return errOrEnded(s.end.err) }

// KillSwitchboard ends the process as a crash would, with what it has started left to itself.
func (s *Stack) KillSwitchboard() error {
	if s.Process == nil {
		return nil
	}
	err := s.Process.Process.Kill()
	<-s.end.done
	s.Process = nil
	return err
}

// StopSwitchboard asks the process to stop, and kills it after stopWithin.
func (s *Stack) StopSwitchboard() error {
	if s.Process == nil {
		return nil
	}
	_ = s.Process.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.end.done:
		s.Process = nil
		return s.end.err
	case <-time.After(stopWithin):
		_ = s.Process.Process.Kill()
		<-s.end.done
		s.Process = nil
		return fmt.Errorf("switchboard did not stop within %s", stopWithin)
	}
}

// Stop ends everything and removes what was temporary.
func (s *Stack) Stop() {
	// The simulator ends after switchboard, whose last requests go to it.
	if err := s.StopSwitchboard(); err != nil {
		slog.Debug("switchboard ended", "error", err)
	}
	if s.simServer != nil {
		_ = s.simServer.Close()
	}
	if s.Sim != nil {
		s.Sim.Close()
	}
	if s.tempDir != "" {
		_ = os.RemoveAll(s.tempDir)
	}
}
