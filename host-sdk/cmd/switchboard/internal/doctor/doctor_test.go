package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/internal/testmain"
)

func TestMain(m *testing.M) { os.Exit(testmain.Run(m)) }

// has checks that there is a line of a level that contains a text.
func has(t *testing.T, lines []inspect.Line, level inspect.Level, text string) {
	t.Helper()
	for _, l := range lines {
		if l.Level == level && strings.Contains(l.Text, text) {
			return
		}
	}
	t.Errorf("no %s with %q in %v", level, text, lines)
}

func TestThePublicAddressIsLookedAtFromOutside(t *testing.T) {
	t.Parallel()
	answer := healthy
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail on purpose
	srv.StartTLS()
	defer srv.Close()
	lines := PublicURL(t.Context(), srv.URL, srv.Client())
	has(t, lines, inspect.OK, "a switchboard answers there")
	has(t, lines, inspect.OK, "the certificate is accepted")
	has(t, lines, inspect.Warning, "no telephone carrier can call")
	has(t, PublicURL(t.Context(), srv.URL, nil), inspect.Error, "signed by nobody whom carriers trust")
	wrong := srv.Client()
	wrong.CloseIdleConnections() // the next handshake is to fail
	wrong.Transport.(*http.Transport).TLSClientConfig.ServerName = "other.example.net"
	has(t, PublicURL(t.Context(), srv.URL, wrong), inspect.Error, "is for another name")

	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "It works!") }))
	has(t, PublicURL(t.Context(), plain.URL, nil), inspect.Error, "it is no switchboard that answers")
	has(t, PublicURL(t.Context(), strings.Replace(plain.URL, "http:", "https:", 1), nil), inspect.Error, "does not speak TLS")
	plain.Close()
	has(t, PublicURL(t.Context(), plain.URL, nil), inspect.Error, "cannot be reached from this machine (")
	has(t, PublicURL(t.Context(), "", nil), inspect.Warning, "public_url is not set")
	has(t, PublicURL(t.Context(), "https://", nil), inspect.Error, "is not a web address")
	has(t, PublicURL(t.Context(), "https://no-such-name.invalid", nil), inspect.Error, "does not resolve")
}

func TestACertificateThatEndsSoonIsAWarning(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	state := func(until time.Time) *tls.ConnectionState {
		return &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{NotAfter: until}}}
	}
	if l := validity(state(now.Add(renewBy-time.Hour)), now); l.Level != inspect.Warning || !strings.Contains(l.Text, "2026-03-14") {
		t.Errorf("%v", l)
	}
	if l := validity(state(now.Add(renewBy+time.Hour)), now); l.Level != inspect.OK {
		t.Errorf("%v", l)
	}
}

func TestPluginsAreLookedAt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	has(t, Plugins(dir), inspect.Error, "run switchboard plugin install")
	if err := os.MkdirAll(filepath.Join(dir, "broken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "broken", "manifest.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	has(t, Plugins(dir), inspect.Error, "not JSON")
}
