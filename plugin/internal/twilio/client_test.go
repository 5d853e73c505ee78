package twilio

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

var (
	acct   = SIDAccount + strings.Repeat("0a", 16)
	callA  = SIDCall + strings.Repeat("1b", 16)
	callB  = SIDCall + strings.Repeat("2c", 16)
	queueA = SIDQueue + strings.Repeat("3d", 16)
	recA   = SIDRecording + strings.Repeat("4e", 16)
	numA   = SIDPhoneNumber + strings.Repeat("5f", 16)
)

type seen struct {
	Method, Host, Path, User, Pass string
	Query, Form                    url.Values
}

// fake is a server that notes requests and answers by a function.
type fake struct {
	mu   sync.Mutex
	seen []seen
}

func serve(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) (*fake, *Client) {
	t.Helper()
	f := &fake{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		user, pass, _ := r.BasicAuth()
		f.mu.Lock()
		f.seen = append(f.seen, seen{r.Method, r.Host, r.URL.Path, user, pass, r.URL.Query(), r.PostForm})
		n := len(f.seen)
		f.mu.Unlock()
		answer(n, w, r)
	}))
	t.Cleanup(srv.Close)
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	c, err := New(Config{AccountSID: acct, KeySID: "SK1", KeySecret: "secret1", Region: "dublin.ie1", APIURL: srv.URL, Transport: tr,
		Backoff: func(int) time.Duration { return time.Millisecond }})
	if err != nil {
		t.Fatal(err)
	}
	return f, c
}

func body(w http.ResponseWriter, status int, format string, args ...any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, format, args...)
}

func TestCreateCallSendsEveryEventByItself(t *testing.T) {
	t.Setenv("TWILIO_EDGE", "tokyo")
	t.Setenv("TWILIO_REGION", "jp1")
	f, c := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		body(w, 201, `{"sid":%q,"status":"queued","to":"+12025550143","from":"+12025550100","date_created":"Tue, 31 Aug 2010 20:36:28 +0000","direction":"outbound-api"}`, callA)
	})
	call, err := c.CreateCall(context.Background(), NewCall{To: "+12025550143", From: "+12025550100", URL: "https://h.example.com/c/x/leg/1?s=2#rc=3&rp=ct,5xx",
		StatusCallback: "https://h.example.com/s", StatusEvents: []string{"initiated", "completed"}, Timeout: 25})
	if err != nil {
		t.Fatal(err)
	}
	want := Call{SID: callA, Status: "queued", To: "+12025550143", From: "+12025550100", Direction: "outbound-api", CreatedAt: time.Date(2010, 8, 31, 20, 36, 28, 0, time.UTC)}
	if diff := cmp.Diff(want, call); diff != "" {
		t.Error(diff)
	}
	got := f.seen[0]
	if got.Host != "api.dublin.ie1.twilio.com" || got.Method != "POST" || got.Path != "/2010-04-01/Accounts/"+acct+"/Calls.json" || got.User != "SK1" || got.Pass != "secret1" {
		t.Errorf("request was %+v", got)
	}
	if diff := cmp.Diff([]string{"initiated", "completed"}, got.Form["StatusCallbackEvent"]); diff != "" {
		t.Error(diff)
	}
	if got.Form.Get("Url") != "https://h.example.com/c/x/leg/1?s=2#rc=3&rp=ct,5xx" || got.Form.Get("Timeout") != "25" {
		t.Errorf("form was %v", got.Form)
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	const prefix = "/2010-04-01/Accounts/"
	tests := []struct {
		name, method, path string
		status             int
		answer             string
		run                func(*Client) (any, error)
		want               any
		form               url.Values
	}{
		{"fetch call", "GET", "/Calls/" + callA + ".json", 200, `{"sid":"` + callA + `","status":"completed","duration":"12"}`,
			func(c *Client) (any, error) { return c.FetchCall(context.Background(), callA) },
			Call{SID: callA, Status: "completed", Duration: 12 * time.Second}, nil},
		{"end call", "POST", "/Calls/" + callA + ".json", 200, `{}`,
			func(c *Client) (any, error) { return nil, c.EndCall(context.Background(), callA) }, nil, url.Values{"Status": {"completed"}}},
		{"redirect call", "POST", "/Calls/" + callA + ".json", 200, `{}`,
			func(c *Client) (any, error) {
				return nil, c.RedirectCall(context.Background(), callA, "https://h.example.com/x")
			}, nil,
			url.Values{"Url": {"https://h.example.com/x"}, "Method": {"POST"}}},
		{"dequeue", "POST", "/Queues/" + queueA + "/Members/" + callA + ".json", 200, `{}`,
			func(c *Client) (any, error) {
				return nil, c.Dequeue(context.Background(), queueA, callA, "https://h.example.com/v")
			}, nil,
			url.Values{"Url": {"https://h.example.com/v"}, "Method": {"POST"}}},
		{"delete queue", "DELETE", "/Queues/" + queueA + ".json", 204, ``,
			func(c *Client) (any, error) { return nil, c.DeleteQueue(context.Background(), queueA) }, nil, nil},
		{"recordings", "GET", "/Recordings.json", 200,
			`{"recordings":[{"sid":"` + recA + `","call_sid":"` + callA + `","status":"completed","duration":"7","price":"-0.0025"},{"sid":"` + recA + `","call_sid":"` + callB + `"}]}`,
			func(c *Client) (any, error) { return c.Recordings(context.Background(), callA) },
			[]Recording{{SID: recA, CallSID: callA, Status: "completed", Duration: 7 * time.Second}}, nil},
		{"recording", "GET", "/Recordings/" + recA + ".json", 200, `{"sid":"` + recA + `","call_sid":"` + callA + `","status":"processing"}`,
			func(c *Client) (any, error) { return c.FetchRecording(context.Background(), recA) },
			Recording{SID: recA, CallSID: callA, Status: "processing"}, nil},
		{"delete recording", "DELETE", "/Recordings/" + recA + ".json", 204, ``,
			func(c *Client) (any, error) { return nil, c.DeleteRecording(context.Background(), recA) }, nil, nil},
		{"numbers are compared whole", "GET", "/IncomingPhoneNumbers.json", 200,
			`{"incoming_phone_numbers":[{"sid":"` + numA + `","phone_number":"+12025550100","voice_url":"https://a.example.com"},{"sid":"` + numA + `","phone_number":"+120255501001"}]}`,
			func(c *Client) (any, error) { return c.PhoneNumbers(context.Background(), "+12025550100", 20) },
			[]PhoneNumber{{SID: numA, Number: "+12025550100", NumberConfig: NumberConfig{VoiceURL: "https://a.example.com"}}}, nil},
		{"connect", "POST", "/IncomingPhoneNumbers/" + numA + ".json", 200, `{"sid":"` + numA + `","voice_url":"https://e.example.com"}`,
			func(c *Client) (any, error) {
				return c.Configure(context.Background(), numA, NumberConfig{VoiceURL: "https://e.example.com", VoiceFallbackURL: "https://e.example.com/resume", StatusCallback: "https://e.example.com/status"})
			},
			PhoneNumber{SID: numA, NumberConfig: NumberConfig{VoiceURL: "https://e.example.com"}},
			url.Values{"VoiceUrl": {"https://e.example.com"}, "VoiceMethod": {"POST"}, "VoiceFallbackUrl": {"https://e.example.com/resume"},
				"VoiceFallbackMethod": {"POST"}, "StatusCallback": {"https://e.example.com/status"}, "StatusCallbackMethod": {"POST"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, c := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { body(w, tt.status, "%s", tt.answer) })
			got, err := tt.run(c)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want != nil {
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			}
			s := f.seen[0]
			if s.Method != tt.method || s.Path != prefix+acct+tt.path {
				t.Errorf("request %s %s", s.Method, s.Path)
			}
			if tt.form != nil {
				if diff := cmp.Diff(tt.form, s.Form); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestListsFollowPages(t *testing.T) {
	t.Parallel()
	f, c := serve(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			body(w, 200, `{"queues":[{"sid":%q,"friendly_name":"a"}],"next_page_uri":"/2010-04-01/Accounts/%s/Queues.json?Page=1"}`, queueA, acct)
			return
		}
		body(w, 200, `{"queues":[{"sid":%q,"friendly_name":"b"}],"next_page_uri":null}`, queueA)
	})
	queues, err := c.Queues(context.Background(), 1000)
	if err != nil || len(queues) != 2 || queues[1].Name != "b" {
		t.Fatalf("%v %v", queues, err)
	}
	if f.seen[1].Host != "api.dublin.ie1.twilio.com" || f.seen[1].User != "SK1" {
		t.Errorf("second page was asked as %+v", f.seen[1])
	}
}

func TestCallsKeepsOursSinceThen(t *testing.T) {
	t.Parallel()
	_, c := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		body(w, 200, `{"calls":[
			{"sid":%q,"direction":"outbound-api","date_created":"Tue, 31 Aug 2010 20:36:28 +0000"},
			{"sid":%q,"direction":"outbound-api","date_created":"Tue, 31 Aug 2010 20:30:00 +0000"},
			{"sid":%q,"direction":"inbound","date_created":"Tue, 31 Aug 2010 20:36:29 +0000"}]}`, callA, callB, callB)
	})
	calls, err := c.Calls(context.Background(), "+12025550143", "+12025550100", time.Date(2010, 8, 31, 20, 36, 28, 900, time.UTC))
	if err != nil || len(calls) != 1 || calls[0].SID != callA {
		t.Fatalf("%+v %v", calls, err)
	}
}

func TestErrorKinds(t *testing.T) {
	t.Parallel()
	twilioError := func(status, code int) string {
		return fmt.Sprintf(`{"code":%d,"message":"no","status":%d,"more_info":"https://www.twilio.com/docs/errors/%d"}`, code, status, code)
	}
	tests := []struct {
		status int
		body   string
		kind   integration.Kind
		code   string
	}{
		{401, twilioError(401, 20003), integration.KindUnauthorized, "20003"},
		{403, twilioError(403, 20005), integration.KindUnauthorized, "20005"},
		{404, twilioError(404, 20404), integration.KindNotFound, "20404"},
		{400, twilioError(400, 21220), integration.KindInvalid, "21220"},
		{400, twilioError(400, 10004), integration.KindUnavailable, "10004"},
		{429, twilioError(429, 20429), integration.KindUnavailable, "20429"},
		{500, twilioError(500, 20500), integration.KindUnavailable, "20500"},
		{503, "<html>busy</html>", integration.KindUnavailable, ""},
		{404, "gone", integration.KindNotFound, ""},
		{302, "", integration.KindUnavailable, ""},
		{200, "<html>portal</html>", integration.KindDeadline, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, tt.code), func(t *testing.T) {
			t.Parallel()
			_, c := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { body(w, tt.status, "%s", tt.body) })
			_, err := c.FetchCall(context.Background(), callA)
			var e *integration.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %T %v", err, err)
			}
			if e.Kind != tt.kind || e.Code != tt.code {
				t.Errorf("got kind %s code %q (%v), want %s %q", e.Kind, e.Code, e, tt.kind, tt.code)
			}
		})
	}
}

func TestUnreachableAndTooSlow(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	_, c := serve(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := c.EndCall(ctx, callA); integration.KindOf(err) != integration.KindDeadline {
		t.Errorf("too slow: %v", err)
	}
	gone, err := New(Config{AccountSID: acct, KeySID: "SK1", KeySecret: "topsecret", APIURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	err = gone.EndCall(context.Background(), callA)
	if integration.KindOf(err) != integration.KindUnavailable || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("unreachable: %v", err)
	}
}

func TestTooManyRequestsIsRepeated(t *testing.T) {
	t.Parallel()
	f, c := serve(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n <= 3 {
			body(w, 429, `{"code":20429,"message":"Too Many Requests","status":429}`)
			return
		}
		body(w, 201, `{"sid":%q}`, callA)
	})
	if _, err := c.CreateCall(context.Background(), NewCall{To: "+12025550143", From: "+12025550100", URL: "https://x.example.com"}); err != nil {
		t.Fatal(err)
	}
	if len(f.seen) != 4 || f.seen[3].Form.Get("To") != "+12025550143" {
		t.Errorf("%d requests, the last %+v", len(f.seen), f.seen[len(f.seen)-1])
	}
	always, c := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { body(w, 429, `{"code":20429,"status":429}`) })
	if err := c.EndCall(context.Background(), callA); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("got %v", err)
	}
	if len(always.seen) != 1+maxRetries {
		t.Errorf("%d requests", len(always.seen))
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, c = serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		body(w, 429, `{"code":20429,"status":429}`)
		cancel()
	})
	c.cfg.Backoff = func(int) time.Duration { return time.Hour }
	if err := c.EndCall(ctx, callA); err == nil {
		t.Error("canceled in the middle of a back-off, and no error")
	}
}

func TestErrorBodiesLeakNoGoroutines(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(500)
		for range 10 {
			_, _ = w.Write([]byte(`{"code":20500,"message":"x"} `))
			w.(http.Flusher).Flush()
		}
	}))
	defer srv.Close()
	tr := &http.Transport{}
	c, err := New(Config{AccountSID: acct, KeySID: "SK1", KeySecret: "x", APIURL: srv.URL, Transport: tr})
	if err != nil {
		t.Fatal(err)
	}
	ignore := goleak.IgnoreCurrent()
	for range 30 {
		_ = c.EndCall(context.Background(), callA)
		_, _ = c.FetchMedia(context.Background(), recA, MP3)
	}
	tr.CloseIdleConnections()
	srv.CloseClientConnections()
	if err := goleak.Find(ignore, goleak.IgnoreTopFunction("net/http.(*Server).Serve")); err != nil {
		t.Error(err)
	}
}

// A request without a body says so, rather than that it comes in chunks.
func TestAnEmptyBodyIsNotSentInChunks(t *testing.T) {
	var chunked []string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { chunked = r.TransferEncoding }))
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&transport{ctx: t.Context(), next: http.DefaultTransport, limit: 1}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); len(chunked) > 0 {
		t.Errorf("the request is sent as %v", chunked)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	_, c := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		body(w, 200, `{"sid":"%s"}`, strings.Repeat("x", maxJSON))
	})
	if _, err := c.FetchCall(context.Background(), callA); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("got %v", err)
	}
}

func TestForeignIdentifiersNeverReachAPath(t *testing.T) {
	t.Parallel()
	f, c := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { body(w, 200, `{}`) })
	ctx := context.Background()
	for _, bad := range []string{"", "CA/../..?x=1", callA + "/", strings.ToUpper(callA), queueA[:33]} {
		_, err1 := c.FetchCall(ctx, bad)
		_, err2 := c.FetchMedia(ctx, bad, MP3)
		_, err3 := c.Recordings(ctx, bad)
		for i, err := range []error{err1, err2, err3, c.EndCall(ctx, bad), c.Dequeue(ctx, queueA, bad, "https://x.example.com"), c.Dequeue(ctx, bad, callA, "https://x.example.com"),
			c.DeleteQueue(ctx, bad), c.DeleteRecording(ctx, bad)} {
			if integration.KindOf(err) != integration.KindInvalid {
				t.Errorf("%d: %q gave %v", i, bad, err)
			}
		}
	}
	if len(f.seen) != 0 {
		t.Errorf("%d requests went out", len(f.seen))
	}
}

func TestMedia(t *testing.T) {
	t.Parallel()
	f, c := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ID3sound")) })
	data, err := c.FetchMedia(context.Background(), recA, MP3)
	if err != nil || string(data) != "ID3sound" {
		t.Fatalf("%q %v", data, err)
	}
	if s := f.seen[0]; s.User != "SK1" || s.Path != "/2010-04-01/Accounts/"+acct+"/Recordings/"+recA+".mp3" {
		t.Errorf("asked as %+v", s)
	}
}

func TestMediaRedirectIsFollowedWithoutTheKey(t *testing.T) {
	t.Parallel()
	var store seen
	storage := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		store.User, store.Pass, _ = r.BasicAuth()
		store.Host = r.Host
		_, _ = w.Write([]byte("sound"))
	}))
	defer storage.Close()
	plain := false
	_, c := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		to := storage.URL + "/signed"
		if plain {
			to = "http://" + r.Host + "/x"
		}
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
	})
	c.cfg.Transport = storage.Client().Transport
	data, err := c.FetchMedia(context.Background(), recA, WAV)
	if err != nil || string(data) != "sound" || store.Host == "" {
		t.Fatalf("%q %v", data, err)
	}
	if store.User != "" || store.Pass != "" {
		t.Error("the key went to another host")
	}
	plain = true
	if _, err := c.FetchMedia(context.Background(), recA, WAV); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("redirect to http: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"account": {AccountSID: "AC1"}, "region": {AccountSID: acct, Region: "mars.mm1"}, "url": {AccountSID: acct, APIURL: "localhost"},
	} {
		if _, err := New(cfg); integration.KindOf(err) != integration.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPT78RegionsSetEdgeAndRegion(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"": "api.ashburn.us1.twilio.com", "ashburn.us1": "api.ashburn.us1.twilio.com", "dublin.ie1": "api.dublin.ie1.twilio.com", "sydney.au1": "api.sydney.au1.twilio.com",
	}
	for id, host := range want {
		srvHost := ""
		rt := roundTripFunc(func(r *http.Request) (*http.Response, error) {
			srvHost = r.URL.Host
			return nil, errors.New("enough")
		})
		c, err := New(Config{AccountSID: acct, KeySID: "SK1", KeySecret: "x", Region: id, Transport: rt})
		if err != nil {
			t.Fatal(err)
		}
		_ = c.EndCall(context.Background(), callA)
		if srvHost != host {
			t.Errorf("region %q: host %q, want %q", id, srvHost, host)
		}
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestErrorsHaveNoCredentialsThatTheAnswerRepeats(t *testing.T) {
	t.Parallel()
	_, c := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		_, pass, _ := r.BasicAuth()
		body(w, 401, `{"code":20003,"message":"wrong: %s, %s"}`, pass, r.Header.Get("Authorization"))
	})
	_, fetched := c.FetchMedia(t.Context(), recA, MP3)
	for _, err := range []error{c.EndCall(t.Context(), callA), fetched} {
		_, _, sentence := Refused(err)
		for _, text := range []string{fmt.Sprintf("%v", err), fmt.Sprintf("%+v", errors.Unwrap(err)), sentence} {
			if strings.Contains(text, "secret1") || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("SK1:secret1"))) {
				t.Errorf("the error has the secret: %s", text)
			}
		}
		if err == nil || integration.KindOf(err) != integration.KindUnauthorized {
			t.Errorf("%v", err)
		}
	}
}
