//go:build unix

package attacks

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
)

// host is the target's address.
func (h *hotline) host() string { return strings.TrimPrefix(h.URL, "http://") }

func TestTooLarge(t *testing.T) {
	bearer := map[string]string{"Authorization": "Bearer " + target.Token, "Content-Type": "application/json"}
	deep := func(open, shut string, n int) string { return strings.Repeat(open, n) + strings.Repeat(shut, n) }
	b := target.loggedIn(t)
	session := ""
	for _, c := range b.cookies() {
		session += c.Name + "=" + c.Value + "; "
	}
	for _, a := range []struct {
		name string
		request
		status []int
	}{
		{"headers of 200 KiB", request{target: "/login", header: map[string]string{"X-Filler": strings.Repeat("a", 200<<10)}}, []int{431}},
		{"an address of 200 KiB", request{target: "/login?" + strings.Repeat("a", 200<<10)}, []int{431, 414}},
		{"a log-in form of 2 MiB", request{target: "/login", form: url.Values{"token": {strings.Repeat("a", 2<<20)}}, from: "127.0.0.30"}, []int{400, 413}},
		{"JSON of 2 MiB", request{method: "POST", target: "/api/v1/integrations", body: `{"name":"` + strings.Repeat("a", 2<<20) + `"}`, header: bearer}, []int{413}},
		{"JSON 100,000 deep", request{method: "POST", target: "/api/v1/integrations", body: `{"options":` + deep("[", "]", 100_000) + `}`, header: bearer}, []int{400, 422}},
		{"JSON 5,000 deep", request{method: "POST", target: "/api/v1/integrations", body: `{"plugin":"livecall","name":"x","options":{"welcome":` + deep(`{"a":`, "}", 5000)[:len(deep(`{"a":`, "}", 5000))-5000] + "1" + strings.Repeat("}", 5000) + `}}`, header: bearer}, []int{400, 422}},
		{"a number with an exponent of 9 digits", request{method: "POST", target: "/api/v1/integrations", body: `{"plugin":"livecall","name":"x","destinations":[{"kind":"team","id":"devops"}],"options":{"max_wait_time":1e999999999}}`, header: bearer}, []int{400, 422}},
		{"30,000 unknown options", request{method: "POST", target: "/api/v1/integrations", body: `{"plugin":"livecall","name":"x","destinations":[{"kind":"team","id":"devops"}],"options":{` + strings.TrimSuffix(manyKeys(30_000), ",") + `}}`, header: bearer}, []int{400, 413, 422}},
		{"an upload of 40 MiB", request{method: "POST", target: "/api/v1/media", body: strings.Repeat("a", 40<<20), header: map[string]string{"Authorization": "Bearer " + target.Token, "Content-Type": "audio/mpeg"}}, []int{400, 413, 415}},
		{"a form of 20,000 fields", request{target: "/settings/integrations/" + target.ID, body: strings.Repeat("a=1&", 20_000), header: map[string]string{"Cookie": session, "Content-Type": formType}}, []int{400, 413, 422}},
		{"a page's query of 1,000 fields", request{target: "/alerts?" + strings.Repeat("a=1&", 1000), header: map[string]string{"Cookie": session}}, []int{200, 400}},
	} {
		t.Run(a.name, func(t *testing.T) {
			before := target.look(t)
			logged := len(target.log.String())
			got := target.send(t, a.request)
			if got.err != nil {
				got.status = 413 // cut off while it was still being sent
			}
			good := false
			for _, s := range a.status {
				good = good || got.status == s
			}
			if !good || len(got.body) > 100_000 {
				t.Errorf("answered %d with %d bytes: %.300s", got.status, len(got.body), got.body)
			}
			if after := target.look(t); after != before {
				t.Errorf("it has changed something: %+v became %+v", before, after)
			}
			for _, line := range target.linesSince(logged) {
				if len(line) > 4000 || strings.Contains(line, "panic") {
					t.Errorf("log line of %d bytes: %.300s", len(line), line)
				}
			}
		})
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"k%d":1,`, i)
	}
	return b.String()
}

func TestSlowOnesHoldNobodyUp(t *testing.T) {
	for _, row := range []struct{ name, begin string }{
		{"nothing at all", ""},
		{"half a request line", "POST /integr"},
		{"headers without end", "POST /integrations/x HTTP/1.1\r\nHost: x\r\n"},
		{"a body without end", "POST " + target.path(target.Endpoint) + " HTTP/1.1\r\nHost: x\r\nContent-Type: " + formType + "\r\nContent-Length: 5000\r\n\r\nCallSid="},
		{"a chunk without end", "POST " + target.path(target.Endpoint) + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\nabc"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for range 200 {
				conn, err := net.Dial("tcp", target.host())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = conn.Close() }()
				if _, err := io.WriteString(conn, row.begin); err != nil {
					t.Fatal(err)
				}
			}
			c := target.arrive(t)
			if c.address["menu"] == "" {
				t.Error("a caller does not hear the menu meanwhile")
			}
			c.over(t)
		})
	}
}

func TestRequestsThatAreCutOrDoubled(t *testing.T) {
	endpoint := target.path(target.Endpoint)
	for _, row := range []struct{ name, raw, status string }{
		{"two lengths", "POST " + endpoint + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", "400"},
		{"length and chunks", "POST " + endpoint + " HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/alerts HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"an unknown coding", "POST " + endpoint + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
		{"a space before the colon", "GET /alerts HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc", "400"},
		{"no host", "GET /alerts HTTP/1.1\r\n\r\n", "400"},
		{"two hosts", "GET /alerts HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
		{"a whole address as target", "GET http://evil.example.com/api/v1/alerts HTTP/1.1\r\nHost: x\r\n\r\n", "401"},
		{"a tunnel", "CONNECT 127.0.0.1:25 HTTP/1.1\r\nHost: 127.0.0.1:25\r\n\r\n", ""},
		{"HTTP/0.9", "GET /alerts\r\n\r\n", "400"},
		{"garbage", "\x16\x03\x01\x02\x00\x01\x00", "400"},
	} {
		t.Run(row.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", target.host())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(patience))
			if _, err := io.WriteString(conn, row.raw); err != nil {
				t.Fatal(err)
			}
			if half, ok := conn.(*net.TCPConn); ok {
				_ = half.CloseWrite()
			}
			b, _ := io.ReadAll(conn)
			status := regexp.MustCompile(`^HTTP/1\.[01] ([0-9]{3})`).FindStringSubmatch(string(b))
			if status == nil || row.status != "" && status[1] != row.status || status[1] == "200" && strings.Contains(string(b), `"alerts"`) {
				t.Errorf("answered %.200q, want %s", b, row.status)
			}
			if strings.Contains(string(b), caller) {
				t.Errorf("the answer shows a caller: %.300q", b)
			}
		})
	}
}

func TestEventStreamsOfOneSessionAreLimited(t *testing.T) {
	b := target.loggedIn(t)
	streams, refused := 0, 0
	for range 60 {
		req, err := http.NewRequestWithContext(t.Context(), "GET", target.URL+"/api/v1/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := b.c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		switch resp.StatusCode {
		case 200:
			streams++
		case 429:
			refused++
			if resp.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
		default:
			t.Fatalf("answered %d", resp.StatusCode)
		}
	}
	if streams < 5 || refused < 20 {
		t.Errorf("%d streams are open, %d were refused", streams, refused)
	}
	other := target.loggedIn(t)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", target.URL+"/api/v1/events", nil)
	resp, err := other.c.Do(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("another session's stream: %v %v", resp, err)
	}
	_ = resp.Body.Close()
}

// TestAFloodWhileThePluginIsAway: nobody checks signatures meanwhile, so what is kept is for calls
// that exist, and not without limit.
func TestAFloodWhileThePluginIsAway(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	h, err := start(func(c *demo.Config) { c.PluginDir = p.plugins })
	defer h.stop()
	if err != nil {
		t.Fatal(err)
	}
	victim := h.arrive(t)
	victim.follow(t, "menu", "Digits", "2")
	alert := h.alertOf(t, victim)
	// The plugin cannot be started again.
	p.do(os.Rename(p.exe, p.exe+"-away"))
	p.do(syscall.Kill(h.children(t)[1], syscall.SIGKILL))
	eventually(t, "the plugin is away", func() bool { return h.send(t, request{target: "/readyz"}).status == 503 })

	large := strings.Repeat("x", 60_000)
	endpoint := h.path(h.Endpoint)
	before := size(t, h.DataDir)
	strangers, calls := map[int]int{}, map[int]int{}
	var mu sync.Mutex
	var sent sync.WaitGroup
	send := func(counts map[int]int, path string, form url.Values) {
		sent.Go(func() {
			got := h.send(t, request{target: path, form: form})
			mu.Lock()
			defer mu.Unlock()
			counts[got.status]++
		})
	}
	for i := range 100 { // at once, as each waits a moment for the plugin
		send(strangers, endpoint+"/status", voice(fmt.Sprintf("CA%032x", 0xf100d000+i), "CallStatus", "completed", "Filler", large))
		send(calls, endpoint+"/c/"+victim.sid+"/recording?t="+noToken, voice(victim.sid, "Filler", large))
	}
	sent.Wait()
	if strangers[503] != 100 {
		t.Errorf("requests about calls that do not exist were answered %v, want 503", strangers)
	}
	if calls[204] < 1 || calls[204] > 20 || calls[204]+calls[503] != 100 {
		t.Errorf("requests about a call were answered %v, want a few times 204, then 503", calls)
	}
	if grown := size(t, h.DataDir) - before; grown > 8<<20 {
		t.Errorf("the data directory has grown by %d bytes", grown)
	}
	// One may be kept whose sender had its answer for another reason before.
	if n := h.metric(t, `livecall_engine_deferred_webhooks_total{result="kept"}`); int(n) < calls[204] || n > 20 {
		t.Errorf("%v requests are counted as kept, want %d, or a few more", n, calls[204])
	}
	p.do(os.Rename(p.exe+"-away", p.exe))
	eventually(t, "the plugin is back", func() bool {
		return strings.Contains(h.send(t, request{target: endpoint + "/nowhere", form: voice(stranger)}).body, refused) && h.send(t, request{target: "/readyz"}).status == 200
	})
	victim.over(t)
	if strings.Contains(h.text(t, "/api/v1/alerts/"+alert.ID), "xxxxxxxx") {
		t.Error("the alert shows the flood")
	}
}

// metric reads one value of /metrics; 0 if it is not there.
func (h *hotline) metric(t *testing.T, name string) float64 {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(h.text(t, "/metrics")))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	return 0
}

// size is how much a folder holds, in bytes.
func size(t *testing.T, dir string) int64 {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}

func TestTheLogIsNoFlood(t *testing.T) {
	logged := len(target.log.String())
	endpoint := target.path(target.Endpoint)
	for range 400 {
		target.send(t, request{target: endpoint + "/nowhere?" + strings.Repeat("a", 20_000), form: voice(stranger)})
	}
	warned, long := 0, 0
	for _, line := range target.linesSince(logged) {
		if strings.Contains(line, "level=WARN") {
			warned++
		}
		long = max(long, len(line))
	}
	if warned < 1 || warned > 250 || long > 2500 {
		t.Errorf("%d warnings, the longest of %d bytes", warned, long)
	}
}
