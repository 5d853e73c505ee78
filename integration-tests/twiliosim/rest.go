package twiliosim

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// regionEdges maps a region to the edge that its API host names. Source: Twilio docs, global-infrastructure.
var regionEdges = map[string]string{"us1": "ashburn", "ie1": "dublin", "au1": "sydney", "jp1": "tokyo"}

var (
	alphanumeric = regexp.MustCompile(`^[a-zA-Z0-9]+$`)
	sidPattern   = map[string]*regexp.Regexp{}
)

func init() {
	for _, p := range []string{"AC", "CA", "QU", "RE", "PN"} {
		sidPattern[p] = regexp.MustCompile("^" + p + "[0-9a-fA-F]{32}$")
	}
}

const apiRoot = "/2010-04-01/Accounts/"

// restError is an error answer of the REST API.
type restError struct {
	status  int
	code    int
	message string
}

func notFound(r *http.Request) *restError {
	return &restError{404, 20404, "The requested resource " + r.URL.Path + " was not found"}
}

func badRequest(code int, format string, args ...any) *restError {
	return &restError{400, code, fmt.Sprintf(format, args...)}
}

// reply is a good answer: JSON, or media.
type reply struct {
	status int
	body   any
	kind   string // Content-Type of a []byte body
}

type restHandler func(r *http.Request) (reply, *restError)

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func writeRESTError(w http.ResponseWriter, e *restError) {
	writeJSON(w, e.status, map[string]any{"code": e.code, "message": e.message, "status": e.status,
		"more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", e.code)})
}

// routes is the whole handler.
func (s *Sim) routes() http.Handler {
	mux := http.NewServeMux()
	rest := http.NewServeMux()
	handle := func(pattern string, h restHandler) {
		methodName, path, _ := strings.Cut(pattern, " ")
		rest.HandleFunc(methodName+" "+apiRoot+"{account}"+path, func(w http.ResponseWriter, r *http.Request) {
			got, e := h(r)
			switch {
			case e != nil:
				writeRESTError(w, e)
			case got.kind != "":
				w.Header().Set("Content-Type", got.kind)
				w.WriteHeader(got.status)
				data, _ := got.body.([]byte)
				_, _ = w.Write(data)
			case got.body == nil:
				w.WriteHeader(got.status)
			default:
				writeJSON(w, got.status, got.body)
			}
		})
	}
	s.restCalls(handle)
	s.restQueues(handle)
	s.restRecordings(handle)
	s.restNumbers(handle)
	rest.HandleFunc("GET "+apiRoot+"{account}", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, 200, map[string]any{"sid": s.cfg.AccountSid, "friendly_name": "twiliosim", "status": "active", "type": "Full",
			"uri": apiRoot + s.cfg.AccountSid + ".json"})
	})
	rest.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusNotFound
		for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			probe := r.Clone(r.Context())
			probe.Method = m
			if _, pattern := rest.Handler(probe); pattern != "/" && pattern != "" {
				status = http.StatusMethodNotAllowed
			}
		}
		if status == http.StatusMethodNotAllowed {
			writeRESTError(w, &restError{405, 20004, "Method not allowed"})
			return
		}
		writeRESTError(w, notFound(r))
	})
	mux.Handle("/2010-04-01/", s.guard(rest))
	s.controlRoutes(mux)
	return mux
}

// statusWriter remembers the status for the transcript.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(code int) {
	w.status = code
	w.ResponseWriter.WriteHeader(code)
}

// guard does what comes before every REST request: host, credentials, load, faults, the transcript.
func (s *Sim) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(plain http.ResponseWriter, r *http.Request) {
		w := &statusWriter{ResponseWriter: plain}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		if err := r.ParseForm(); err != nil {
			writeRESTError(w, badRequest(20001, "the form cannot be read: %v", err))
			return
		}
		log := true
		defer func() {
			if log {
				s.addEvent(s.callOf(r), Event{Kind: EventREST, Method: r.Method, URL: r.URL.RequestURI(), Status: w.status, Params: flat(r.PostForm)})
			}
		}()
		region, dead := hostRegion(r.Host)
		if dead {
			s.addEvent(nil, Event{Kind: EventProblem, Text: "host " + r.Host + " does not exist: a region needs its edge, api.{edge}.{region}.twilio.com"})
			log = false
			panic(http.ErrAbortHandler)
		}
		if fault := s.faultFor(OnREST, r.Method+" "+r.URL.Path); fault != nil {
			switch fault.Do {
			case FaultLose:
				s.sleep(10 * time.Second)
				panic(http.ErrAbortHandler)
			case FaultLoseAnswer:
				next.ServeHTTP(&statusWriter{ResponseWriter: discard{header: http.Header{}}}, r)
				s.sleep(10 * time.Second)
				panic(http.ErrAbortHandler)
			case FaultDouble:
				next.ServeHTTP(&statusWriter{ResponseWriter: discard{header: http.Header{}}}, r)
			case FaultDelay:
				s.sleep(fault.Delay)
			case FaultStatus:
				writeFault(w, fault.Status)
				return
			}
		}
		if e := s.authorize(r, region); e != nil {
			if e.status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
			}
			writeRESTError(w, e)
			return
		}
		s.mu.Lock()
		full := s.cfg.MaxConcurrentREST > 0 && s.restActive >= s.cfg.MaxConcurrentREST
		if !full {
			s.restActive++
		}
		s.mu.Unlock()
		if full {
			writeRESTError(w, &restError{429, 20429, "Too Many Requests"})
			return
		}
		defer func() {
			s.mu.Lock()
			s.restActive--
			s.mu.Unlock()
		}()
		next.ServeHTTP(w, r)
	})
}

// writeFault is an error answer on demand: Twilio's JSON for the statuses it uses, HTML of a gateway for 502 and 504.
func writeFault(w http.ResponseWriter, status int) {
	switch status {
	case 502, 504:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<html><body>%d</body></html>", status)
	case 401:
		writeRESTError(w, &restError{401, 20003, "Authenticate"})
	default:
		writeRESTError(w, &restError{status, 20000 + status, http.StatusText(status)})
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// hostRegion tells the region from the host; dead: there is no such host. Hosts that are not Twilio's are taken for the
// account's region ("").
func hostRegion(host string) (region string, dead bool) {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(host)
	if host == "api.twilio.com" {
		return "us1", false
	}
	name, found := strings.CutSuffix(host, ".twilio.com")
	if !found {
		return "", false
	}
	parts := strings.Split(name, ".")
	if len(parts) == 3 && parts[0] == "api" && regionEdges[parts[2]] != "" {
		return parts[2], false
	}
	return "", true
}

// authorize checks credentials, region and account.
func (s *Sim) authorize(r *http.Request, region string) *restError {
	refuse := &restError{401, 20003, "Authenticate"}
	account := strings.TrimSuffix(strings.Split(strings.TrimPrefix(r.URL.Path, apiRoot), "/")[0], ".json")
	media := strings.Contains(r.URL.Path, "/Recordings/") && !strings.HasSuffix(r.URL.Path, ".json") && r.Method == http.MethodGet
	user, password, given := r.BasicAuth()
	switch {
	case s.cfg.AnyCredentials:
		return nil
	case media && s.cfg.OpenMedia && account == s.cfg.AccountSid:
		return nil
	case !given, region != "" && region != s.cfg.Region:
		return refuse
	}
	known := map[string]string{s.cfg.AccountSid: s.cfg.AuthToken, s.cfg.APIKey: s.cfg.APISecret}
	for u, p := range s.cfg.Credentials {
		known[u] = p
	}
	want, ok := known[user]
	if !ok || subtle.ConstantTimeCompare([]byte(want), []byte(password)) != 1 {
		return refuse
	}
	if account != s.cfg.AccountSid {
		return notFound(r)
	}
	rest := strings.TrimPrefix(r.URL.Path, apiRoot+s.cfg.AccountSid)
	if strings.HasPrefix(user, "SK") && !s.cfg.MainAPIKey && (rest == ".json" || strings.HasPrefix(rest, "/Keys")) {
		return refuse // a Standard key may not read /Accounts and /Keys
	}
	return nil
}

// callOf is the call that a request is about, for the transcript.
func (s *Sim) callOf(r *http.Request) *Call {
	parts := strings.Split(strings.TrimSuffix(r.URL.Path, ".json"), "/")
	for _, p := range parts {
		if sidPattern["CA"].MatchString(p) {
			return s.CallBySid(p)
		}
	}
	return nil
}

// sidOf reads a SID from the path, without .json.
func sidOf(r *http.Request, name string) (sid string, asJSON bool) {
	return strings.CutSuffix(r.PathValue(name), ".json")
}

// list cuts a page out of rows. Source: Twilio docs, usage/twilios-response, list.
func (s *Sim) list(r *http.Request, name string, rows []any) (reply, *restError) {
	q := r.URL.Query()
	size, page := 50, 0
	if v := q.Get("PageSize"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return reply{}, badRequest(20001, "PageSize %s: want 1 to 1000", v)
		}
		size = min(n, 1000)
	}
	if v := q.Get("Page"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return reply{}, badRequest(20001, "Page %s: want 0 or more", v)
		}
		page = n
	}
	at := func(p int) string {
		u := url.Values{}
		for k, vs := range q {
			u[k] = vs
		}
		u.Set("PageSize", strconv.Itoa(size))
		u.Set("Page", strconv.Itoa(p))
		if p > 0 {
			u.Set("PageToken", "PA"+strconv.Itoa(p))
		} else {
			u.Del("PageToken")
		}
		return r.URL.Path + "?" + u.Encode()
	}
	start := min(page*size, len(rows))
	end := min(start+size, len(rows))
	body := map[string]any{
		name: append([]any{}, rows[start:end]...), "page": page, "page_size": size, "start": start, "end": max(end-1, 0),
		"uri": at(page), "first_page_uri": at(0), "next_page_uri": nil, "previous_page_uri": nil,
	}
	if end < len(rows) {
		body["next_page_uri"] = at(page + 1)
	}
	if page > 0 {
		body["previous_page_uri"] = at(page - 1)
	}
	return reply{status: 200, body: body}, nil
}

// absoluteURL checks a URL parameter.
func absoluteURL(v string) bool {
	u, err := url.Parse(v)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && !strings.Contains(u.Hostname(), "_")
}

// parameters that the OpenAPI document knows but this simulator does not act on are violations: a program that relies
// on them would seem to work.
func (s *Sim) refuseUnsimulated(r *http.Request, known string) {
	for k := range r.PostForm {
		if !strings.Contains(" "+known+" ", " "+k+" ") {
			s.report(s.callOf(r), &problem{code: 20001, warning: true, text: "twiliosim does not know the parameter " + k + " of " + r.Method + " " + r.URL.Path})
		}
	}
}
