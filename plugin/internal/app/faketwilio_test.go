package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeTwilio is as much of the REST API as the scripts need.
type fakeTwilio struct {
	srv       *httptest.Server
	transport *http.Transport
	mu        sync.Mutex
	asked     []string // method and path below the account
	forms     []url.Values
	// By method and path; "404" and the like are statuses, "!21220" an error code.
	answer map[string]string
	once   map[string]string // the answer to the first request, before those of answer
	ahead  time.Duration     // of its clock, as the Date of its answers says
}

func newFakeTwilio(t testing.TB) *fakeTwilio {
	f := &fakeTwilio{transport: &http.Transport{}, answer: map[string]string{}}
	f.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		path := strings.TrimPrefix(r.URL.Path, "/2010-04-01/Accounts/"+accountSID)
		f.mu.Lock()
		defer f.mu.Unlock()
		w.Header().Set("Date", time.Now().Add(f.ahead).UTC().Format(http.TimeFormat))
		f.asked = append(f.asked, r.Method+" "+path)
		f.forms = append(f.forms, r.PostForm)
		a, ok := f.once[r.Method+" "+path]
		if delete(f.once, r.Method+" "+path); !ok {
			a, ok = f.answer[r.Method+" "+path]
		}
		switch {
		case ok && strings.HasPrefix(a, "!"): // an error code with status 400
			w.WriteHeader(400)
			_, _ = fmt.Fprintf(w, `{"code":%s,"message":"no","status":400}`, a[1:])
		case ok && len(a) == 3:
			w.WriteHeader(int(a[0]-'0')*100 + int(a[1]-'0')*10 + int(a[2]-'0'))
			_, _ = fmt.Fprintf(w, `{"code":20%s,"message":"no","status":%s}`, a, a)
		case ok:
			_, _ = fmt.Fprint(w, a)
		case r.Method == "POST" && path == "/Calls.json":
			w.WriteHeader(201)
			_, _ = fmt.Fprintf(w, `{"sid":%q,"status":"queued"}`, legSID)
		case r.Method == "DELETE":
			w.WriteHeader(204)
		case strings.HasSuffix(path, ".mp3"):
			_, _ = w.Write([]byte("ID3 sound"))
		case path == "/Calls/"+callSID+".json":
			_, _ = fmt.Fprintf(w, `{"sid":%q,"status":"in-progress"}`, callSID)
		default:
			_, _ = fmt.Fprint(w, `{}`)
		}
	}))
	t.Cleanup(func() { f.transport.CloseIdleConnections(); f.srv.Close() })
	return f
}

// count is how often a request was made.
func (f *fakeTwilio) count(request string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, a := range f.asked {
		if a == request {
			n++
		}
	}
	return n
}

func (f *fakeTwilio) form(request string) url.Values {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.asked) - 1; i >= 0; i-- {
		if f.asked[i] == request {
			return f.forms[i]
		}
	}
	return nil
}
