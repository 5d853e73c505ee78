package docs_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/component"
	"github.com/livecallrouting/livecall/internal/freeport"
)

// TestProxies starts nginx and Caddy with the configurations of docs/reverse-proxy.md, of which
// only the addresses are exchanged, and sends what Twilio and browsers send through them.
func TestProxies(t *testing.T) {
	t.Parallel()
	n := 0
	for _, b := range blocksOf(read(t, "reverse-proxy.md")) {
		start := map[string]func(*testing.T, block, string) string{"nginx": startNginx, "caddy": startCaddy}[b.language]
		if start == nil {
			continue
		}
		n++
		t.Run(fmt.Sprintf("%s of line %d", b.language, b.line), func(t *testing.T) {
			t.Parallel()
			component.Get(t, component.Proxies, func() (string, error) { return exec.LookPath(b.language) })
			behind := &backend{}
			server := httptest.NewServer(behind)
			t.Cleanup(server.Close)
			address := start(t, b, server.Listener.Addr().String())
			passes(t, b, behind, clientOf(address))
		})
	}
	if n < 3 {
		t.Errorf("only %d configurations", n)
	}
}

// backend stands in for switchboard: it notes what arrives.
type backend struct {
	mu   sync.Mutex
	seen []string
}

// ServeHTTP implements http.Handler. A stream sends one event and stays open.
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	size, _ := io.Copy(io.Discard, r.Body)
	b.mu.Lock()
	b.seen = append(b.seen, fmt.Sprintf("%s %s %s %d %s", r.Method, r.Host, r.RequestURI, size, r.Header.Get("X-Forwarded-For")))
	b.mu.Unlock()
	if r.URL.Path == "/stream" {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: first\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

func (b *backend) last() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.seen) == 0 {
		return "nothing"
	}
	return b.seen[len(b.seen)-1]
}

// passes sends a webhook, an upload and a live page through a proxy.
func passes(t *testing.T, b block, behind *backend, client *http.Client) {
	t.Helper()
	const site = "https://hotline.example.com"
	const webhook = "/integrations/int_1/c/CA1%2F2/gather?t=a%20b&x=1"
	resp, err := client.Post(site+webhook, "application/x-www-form-urlencoded", strings.NewReader("CallSid=CA1"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if want := "POST hotline.example.com " + webhook + " 11 127.0.0.1"; resp.StatusCode != http.StatusOK || behind.last() != want {
		t.Errorf("a webhook is answered %s and arrives as\n%s, want\n%s", resp.Status, behind.last(), want)
	}
	// For those outside, in place of the networks that the page names.
	if strings.Contains(b.text, "@inside") {
		resp, err := client.Get(site + "/alerts")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("a page is shown outside: %s", resp.Status)
		}
		return
	}
	if resp, err = client.Post(site+"/api/v1/media", "audio/wav", bytes.NewReader(make([]byte, 16<<20))); err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("an upload of 16 MiB is answered %s", resp.Status)
	}
	if resp, err = client.Get(site + "/stream"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	first := make([]byte, len("data: first"))
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "data: first" {
		t.Errorf("the stream begins with %q, %v", first, err)
	}
}

// clientOf reaches the site at an address, whatever its name resolves to, and accepts its
// certificate.
func clientOf(address string) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // made for this test
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
}

func startNginx(t *testing.T, b block, backend string) string {
	dir, address := t.TempDir(), freeport.Address(t)
	certificate(t, filepath.Join(dir, "fullchain.pem"), filepath.Join(dir, "privkey.pem"))
	text := replaced(t, b.text, "listen 443 ssl", "listen "+address+" ssl", "127.0.0.1:8080", backend, "/etc/ssl/hotline", dir)
	whole := "daemon off;\n"
	if os.Geteuid() == 0 {
		whole += "user root;\n" // whose folders the workers use here
	}
	whole += "pid " + dir + "/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		whole += kind + "_temp_path " + dir + "/" + kind + ";\n"
	}
	write(t, filepath.Join(dir, "nginx.conf"), whole+text+"}\n")
	runProxy(t, address, "nginx", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr")
	return address
}

func startCaddy(t *testing.T, b block, backend string) string {
	dir, address, plain := t.TempDir(), freeport.Address(t), freeport.Address(t)
	pairs := []string{"127.0.0.1:8080", backend}
	if strings.Contains(b.text, "@inside") {
		// This machine is outside.
		pairs = append(pairs, "10.0.0.0/8 192.168.0.0/16 127.0.0.0/8", "10.0.0.0/8")
	}
	// No certificate of the Internet's, no other ports than these.
	head := fmt.Sprintf("{\nadmin off\nlocal_certs\nskip_install_trust\nhttp_port %s\nhttps_port %s\n}\n", port(plain), port(address))
	write(t, filepath.Join(dir, "Caddyfile"), head+replaced(t, b.text, pairs...))
	runProxy(t, address, "env", "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "caddy", "run", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile")
	return address
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// replaced exchanges each first text of a pair, which must be there.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the configuration has no %q", pairs[i])
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// runProxy starts a program and waits until its address takes TLS connections.
func runProxy(t *testing.T, address, program string, args ...string) {
	t.Helper()
	said := &terminal{}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); <-ended })
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		// Caddy listens before it has made its certificate.
		c, err := tls.Dial("tcp", address, &tls.Config{ServerName: "hotline.example.com", InsecureSkipVerify: true}) //nolint:gosec // made for this test
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended:\n%s", program, said.text())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen:\n%s", program, said.text())
		}
	}
}

// certificate writes one of hotline.example.com that nobody has signed.
func certificate(t *testing.T, chain, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"hotline.example.com"}}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, b := range map[string]*pem.Block{chain: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
