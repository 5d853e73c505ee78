package attacks

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// elsewhere is a web server that the host has no business with, but trusts the certificate of.
type elsewhere struct {
	server *httptest.Server
	dir    string
	mu     sync.Mutex
	asked  []string // method, path and headers of each request
}

// open starts it and returns the file with its certificate.
func (e *elsewhere) open() (string, error) {
	var err error
	if e.dir, err = os.MkdirTemp("", "livecall-elsewhere-"); err != nil {
		return "", err
	}
	e.server = httptest.NewUnstartedServer(e)
	e.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	e.server.StartTLS()
	file := filepath.Join(e.dir, "certificates.pem")
	return file, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.server.Certificate().Raw}), 0o600)
}

func (e *elsewhere) close() {
	if e.server != nil {
		e.server.Close()
	}
	_ = os.RemoveAll(e.dir)
}

// ServeHTTP redirects to the address in the query, or serves a sound.
func (e *elsewhere) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.asked = append(e.asked, fmt.Sprint(r.Method, " ", r.URL, " ", r.Header))
	e.mu.Unlock()
	if to := r.URL.Query().Get("to"); to != "" {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
		return
	}
	w.Header().Set("Content-Type", "audio/mpeg")
	_, _ = io.WriteString(w, "ID3")
}

// requests are those so far whose path has a text.
func (e *elsewhere) requests(path string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []string
	for _, r := range e.asked {
		if strings.Contains(r, path) {
			found = append(found, r)
		}
	}
	return found
}

func TestAddressesThatTheHostIsMadeToFetch(t *testing.T) {
	away := target.elsewhere.server.URL
	const private, noHTTPS, refusedForm = "private network", "without https", "https"
	for _, row := range []struct{ name, address, says string }{
		{"a service of the cloud", "https://169.254.169.254/latest/meta-data/", private},
		{"a private network", "https://10.0.0.1/", private},
		{"another private network", "https://192.168.1.1/admin", private},
		{"a third private network", "https://172.16.0.1/", private},
		{"a carrier's network", "https://100.64.0.1/", private},
		{"no address", "https://0.0.0.0/", private},
		{"everybody", "https://255.255.255.255/", private},
		{"a local IPv6 network", "https://[fd00::1]/", private},
		{"a link's IPv6 address", "https://[fe80::1]/", private},
		{"a private address in IPv6", "https://[::ffff:10.0.0.1]/", private},
		{"a private address behind NAT64", "https://[64:ff9b::a00:1]/", private},
		{"redirected into a private network", away + "/one?to=https://10.0.0.1/", private},
		{"redirected to a service of the cloud", away + "/two?to=https://169.254.169.254/", private},
		{"redirected to plain http", away + "/three?to=http://127.0.0.1/", noHTTPS},
		{"redirected to a file", away + "/four?to=file:///etc/passwd", ""},
		{"redirected for ever", away + "/five?to=/five%3Fto=/five", ""},
		{"plain http", "http://127.0.0.1:1/", refusedForm},
		{"a file", "file:///etc/passwd", ""}, // a text to be spoken
		{"another protocol", "gopher://127.0.0.1:25/_HELO", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			options := map[string]any{
				"account_sid": twiliosim.DefaultAccountSid, "api_key": twiliosim.DefaultAPIKey, "api_secret": twiliosim.DefaultAPISecret,
				"auth_token": twiliosim.DefaultAuthToken, "welcome": row.address,
			}
			body, err := json.Marshal(map[string]any{"plugin": "livecall", "name": "x", "enabled": true, "destinations": []map[string]string{{"kind": "team", "id": "devops"}}, "options": options})
			if err != nil {
				t.Fatal(err)
			}
			got := target.send(t, request{method: "POST", target: "/api/v1/integrations?online=true", body: string(body), header: map[string]string{"Authorization": "Bearer " + target.Token, "Content-Type": "application/json"}})
			var made struct {
				ID string `json:"id"`
			}
			_ = json.Unmarshal([]byte(got.body), &made)
			if made.ID != "" {
				defer target.send(t, request{method: "DELETE", target: "/api/v1/integrations/" + made.ID, header: map[string]string{"Authorization": "Bearer " + target.Token}})
			}
			if !strings.Contains(got.body, row.says) || got.status != 201 && got.status != 422 {
				t.Errorf("answered %d %.600s; want %q", got.status, got.body, row.says)
			}
			if strings.Contains(got.body, "root:") {
				t.Error("the answer shows a file")
			}
		})
	}
	for _, asked := range target.elsewhere.requests("/") {
		for _, secret := range []string{"Authorization", twiliosim.DefaultAPISecret, target.Token} {
			if strings.Contains(asked, secret) {
				t.Errorf("another server was sent %s: %s", secret, asked)
			}
		}
	}
}

// TestTheAddressOfARecordingIsNotTakenFromTheRequest: the API key would be sent wherever it says.
func TestTheAddressOfARecordingIsNotTakenFromTheRequest(t *testing.T) {
	id, endpoint, err := target.AddHotline(t.Context(), "+12025550111", []string{"devops"}, map[string]any{"send_straight_to_voicemail": true, "voicemail": true, "deliver_messages": "off"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = target.API(t.Context(), "DELETE", "/api/v1/integrations/"+id, nil, nil) }()
	for i, address := range []string{target.elsewhere.server.URL + "/stolen-0", "https://api.twilio.com@" + strings.TrimPrefix(target.elsewhere.server.URL, "https://") + "/stolen-1", target.elsewhere.server.URL + "/stolen-2/2010-04-01/Accounts/" + twiliosim.DefaultAccountSid + "/Recordings/RE1"} {
		t.Run(address, func(t *testing.T) {
			c := target.arriveAt(t, endpoint, "To", "+12025550111")
			recording := fmt.Sprintf("RE%032x", 0xe71+i)
			fields := []string{"RecordingSid", recording, "RecordingUrl", address, "RecordingDuration", "5", "RecordingStatus", "completed"}
			c.follow(t, "recorded", fields...)
			c.follow(t, "recording", fields...)
			eventually(t, "the recording is asked for at Twilio", func() bool { return target.lookUps(recording) > 0 })
			if stolen := target.elsewhere.requests("/stolen-"); len(stolen) > 0 {
				t.Errorf("another server was asked: %v", stolen)
			}
		})
	}
}
