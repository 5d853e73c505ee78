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
	lines := PublicURL(t.Context(), srv.URL, nil, srv.Client())
	has(t, lines, inspect.OK, "a switchboard answers there")
	has(t, lines, inspect.OK, "the certificate is accepted")
	has(t, lines, inspect.Warning, "no telephone carrier can call")
	has(t, PublicURL(t.Context(), srv.URL, nil, nil), inspect.Error, "signed by nobody whom carriers trust")
	wrong := srv.Client()
	wrong.CloseIdleConnections() // the next handshake is to fail
	wrong.Transport.(*http.Transport).TLSClientConfig.ServerName = "other.example.net"
	has(t, PublicURL(t.Context(), srv.URL, nil, wrong), inspect.Error, "is for another name")

	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "It works!") }))
	has(t, PublicURL(t.Context(), plain.URL, nil, nil), inspect.Error, "it is no switchboard that answers")
	has(t, PublicURL(t.Context(), strings.Replace(plain.URL, "http:", "https:", 1), nil, nil), inspect.Error, "does not speak TLS")
	plain.Close()
	has(t, PublicURL(t.Context(), plain.URL, nil, nil), inspect.Error, "cannot be reached from this machine (")
	has(t, PublicURL(t.Context(), "", nil, nil), inspect.Warning, "public_url is not set")
	has(t, PublicURL(t.Context(), "https://", nil, nil), inspect.Error, "is not a web address")
	has(t, PublicURL(t.Context(), "https://no-such-name.invalid", nil, nil), inspect.Error, "does not resolve")
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

func TestClocksThatDifferAreAWarning(t *testing.T) {
	t.Parallel()
	for ahead, want := range map[time.Duration]string{
		0: "agrees", 4 * time.Second: "agrees", -4 * time.Second: "agrees",
		time.Minute: "is 1m0s behind the one of", -time.Minute: "is 1m0s ahead of the one of",
	} {
		l := compare("the database", ahead, 0)
		if !strings.Contains(l.Text, want) || (l.Level == inspect.OK) != (want == "agrees") {
			t.Errorf("%v: %v", ahead, l)
		}
	}
	if l := compare("the database", 8*time.Second, 4*time.Second); l.Level != inspect.OK {
		t.Errorf("a slow answer: %v", l)
	}
}

func TestADiskThatIsNearlyFullIsSaid(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[uint64]inspect.Level{50 << 20: inspect.Error, 1 << 30: inspect.Warning, 3 << 30: inspect.OK} {
		if l := room("/data", bytes); l.Level != want {
			t.Errorf("%d bytes: %v", bytes, l)
		}
	}
	if lines := Disk(t.TempDir()); len(lines) != 1 {
		t.Errorf("%v", lines)
	}
}

// The proof counts, whoever answers.
func TestTheProofOfAnotherHostIsRefused(t *testing.T) {
	t.Parallel()
	said := ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if said != "" {
			w.Header().Set(ProofHeader, said+r.URL.Query().Get(NonceName))
		}
		_, _ = io.WriteString(w, healthy)
	}))
	defer srv.Close()
	prove := func(nonce string) string { return "mine " + nonce }
	has(t, PublicURL(t.Context(), srv.URL, prove, nil), inspect.Error, "an older one, or the proxy drops the header")
	said = "other "
	has(t, PublicURL(t.Context(), srv.URL, prove, nil), inspect.Error, "answers another switchboard than this one")
	said = "mine "
	has(t, PublicURL(t.Context(), srv.URL, prove, nil), inspect.OK, "leads to this switchboard")
}
