package soundcheck

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/plugin/internal/options"
)

// files serves one file in many wrong ways, and one right way.
func files(t *testing.T) (address string, c Checker) {
	t.Helper()
	mux := http.NewServeMux()
	serve := func(path, kind string, status int, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			if kind != "" {
				w.Header().Set("Content-Type", kind)
			} else {
				w.Header()["Content-Type"] = nil
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	serve("/music.mp3", "audio/mpeg", 200, "sound")
	serve("/music.ogg", "audio/ogg", 200, "sound")
	serve("/page", "text/html; charset=utf-8", 200, "<p>")
	serve("/nameless", "", 200, "sound")
	serve("/empty", "audio/mpeg", 200, "")
	serve("/gone", "audio/mpeg", 410, "")
	serve("/ill", "text/plain", 503, "")
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		w.Header().Set("Content-Length", "1000000000")
	})
	for from, to := range map[string]string{"/moved": "/music.mp3", "/circle": "/circle", "/plain": "http://files.example.com/music.mp3"} {
		mux.HandleFunc(from, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })
	}
	srv := httptest.NewTLSServer(mux)
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	return srv.URL, Checker{Loopback: true, Roots: roots}
}

func one(c Checker, address string) Result {
	return c.Fields(context.Background(), map[string]options.Source{"welcome": {URL: address}, "no_answer": {Text: "Goodbye."}})[0]
}

func TestAFileIsJudgedAsTwilioWouldFetchIt(t *testing.T) {
	t.Parallel()
	address, c := files(t)
	for path, want := range map[string]struct {
		level Level
		says  string
	}{
		"/music.mp3": {OK, "can be fetched"},
		"/moved":     {OK, "can be fetched"},
		"/music.ogg": {Warning, "audio/ogg"},
		"/ill":       {Warning, "answers 503"},
		"/page":      {Error, "text/html instead of a sound file"},
		"/nameless":  {Error, "Content-Type"},
		"/empty":     {Error, "is empty"},
		"/gone":      {Error, "answers 410"},
		"/missing":   {Error, "answers 404"},
		"/large":     {Error, "at most 16 MB"},
		"/circle":    {Error, "redirects more than 3 times"},
		"/plain":     {Error, "without https"},
	} {
		r := one(c, address+path)
		if r.Field != "welcome" || r.Level != want.level || !strings.HasPrefix(r.Text, "Welcome Recording: ") || !strings.Contains(r.Text, want.says) {
			t.Errorf("%s: %+v, want %s with %q", path, r, want.level, want.says)
		}
	}
	if r := one(Checker{Loopback: true}, address+"/music.mp3"); r.Level != Error || !strings.Contains(r.Text, "certificate") {
		t.Errorf("a certificate that nobody knows: %+v", r)
	}
}

func TestOnlyPublicAddressesAreFetched(t *testing.T) {
	t.Parallel()
	address, c := files(t)
	c.Loopback = false
	if r := one(c, address+"/music.mp3"); r.Level != Error || !strings.Contains(r.Text, "private network") {
		t.Errorf("a loopback address: %+v", r)
	}
	if r := one(c, strings.Replace(address, "127.0.0.1", "localhost", 1)+"/music.mp3"); r.Level != Error || !strings.Contains(r.Text, "private network") {
		t.Errorf("a name of a loopback address: %+v", r)
	}
	for _, a := range []string{
		"127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255",
		"198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "::127.0.0.1", "::10.0.0.1", "fec0::1", "2001:db8::1",
	} {
		if public(netip.MustParseAddr(a)) {
			t.Errorf("%s is taken for a public address", a)
		}
	}
	for _, a := range []string{"8.8.8.8", "93.184.216.34", "2606:2800:220:1::1"} {
		if !public(netip.MustParseAddr(a)) {
			t.Errorf("%s is a public address", a)
		}
	}
}

func TestARedirectIntoAPrivateNetworkIsRefused(t *testing.T) {
	t.Parallel()
	guarded := guard(true)
	for address, fine := range map[string]bool{"127.0.0.1:443": true, "[::1]:443": true, "10.0.0.1:443": false, "169.254.169.254:80": false, "nonsense": false} {
		if err := guarded("tcp", address, nil); (err == nil) != fine {
			t.Errorf("%s beside a simulator: %v", address, err)
		}
	}
	if guard(false)("tcp", "127.0.0.1:443", nil) == nil {
		t.Error("a loopback address is reached")
	}
}
