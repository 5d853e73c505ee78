package goalertsim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

func TestF01_HealthAnswers200(t *testing.T) {
	w := open(t, goalertsim.Config{})
	for _, path := range []string{"/health", "/health/engine"} {
		resp, err := http.Get(w.URL + path)
		w.ok(err)
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

const basic = "/api/v2/identity/providers/basic?noRedirect=1"

func TestF02_LogInAnswersTheTokenAsText(t *testing.T) {
	w := open(t, goalertsim.Config{})
	r, _ := http.NewRequest(http.MethodPost, w.URL+basic, strings.NewReader("username=admin&password=admin12345"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Referer", w.URL+"/")
	if w.Sim == nil {
		t.Skip("the real server's password is GOALERT_PASSWORD, and Open has logged in with it")
	}
	resp, body, err := (&admin.Client{}).Do(r)
	w.ok(err)
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") || len(body) == 0 {
		t.Errorf("%s %s %q", resp.Status, resp.Header.Get("Content-Type"), body)
	}
	w.ask(&admin.Client{URL: w.URL, Token: string(body)}, `{services(input:{first:1}){nodes{id}}}`)
}

func TestF03_LogInWithoutRefererRedirects(t *testing.T) {
	w := open(t, goalertsim.Config{})
	if status, _ := w.post(w.URL+basic, "application/x-www-form-urlencoded", "username=admin&password=x"); status != 307 {
		t.Errorf("status %d, want 307", status)
	}
}

func TestF04_WrongPasswordIs400(t *testing.T) {
	w := open(t, goalertsim.Config{})
	status, body := w.post(w.URL+basic, "application/x-www-form-urlencoded", "username=admin&password=wrong", "Referer", w.URL+"/")
	if status != 400 || strings.TrimSpace(body) != "unknown username/password" {
		t.Errorf("%d %q", status, body)
	}
}

func TestF05_GraphQLTakesQueryVariablesOperationName(t *testing.T) {
	w := open(t, goalertsim.Config{})
	var out map[string]any
	w.ok(w.Admin.Send(w.ctx, admin.Request{
		Query: `query One($id:Int!){alert(id:$id){alertID}} query Other{services(input:{first:1}){nodes{id}}}`, OperationName: "One",
		Variables: map[string]any{"id": 2147483000},
	}, &out))
	w.equal("data", out, `{"alert":null}`)
}

const twoOperations = `query Poll($id:Int!){alert(id:$id){alertID status}}
mutation Ack($id:Int!){updateAlerts(input:{alertIDs:[$id],newStatus:StatusAcknowledged}){alertID status}}`

func TestF06_AKeyIsBoundToOneDocument(t *testing.T) {
	w := open(t, goalertsim.Config{})
	k := w.key(twoOperations)
	body, _ := json.Marshal(admin.Request{Query: twoOperations + " ", OperationName: "Poll", Variables: map[string]any{"id": 1}})
	status, answer := w.post(w.URL+"/api/graphql", "application/json", string(body), "Authorization", "Bearer "+k.Token)
	if status != 200 {
		t.Errorf("status %d", status)
	}
	w.equal("the answer", json.RawMessage(answer), `{"errors":[{"message":"wrong query for API key","extensions":{"code":"invalid_query"}}],"data":null}`)
	if !strings.HasPrefix(k.Token, "eyJ") {
		t.Errorf("token %q", k.Token)
	}
}

func TestF07_AKeyRunsNamedOperationsWithoutQuery(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.service(0), "lcr:CA111")
	k := w.key(twoOperations)
	for _, query := range []string{"", twoOperations} {
		var out map[string]any
		w.ok(k.Send(w.ctx, admin.Request{Query: query, OperationName: "Poll", Variables: map[string]any{"id": id}}, &out))
		w.equal("data", out, fmt.Sprintf(`{"alert":{"alertID":%d,"status":"StatusUnacknowledged"}}`, id))
	}
	var out map[string]any
	w.ok(k.Send(w.ctx, admin.Request{OperationName: "Ack", Variables: map[string]any{"id": id}}, &out))
	w.equal("data", out, fmt.Sprintf(`{"updateAlerts":[{"alertID":%d,"status":"StatusAcknowledged"}]}`, id))
}

func TestF08_ABadKeyIs401(t *testing.T) {
	w := open(t, goalertsim.Config{})
	for _, token := range []string{"", "eyJwrong"} {
		status, body := w.post(w.URL+"/api/graphql", "application/json", `{"query":"{__typename}"}`, "Authorization", "Bearer "+token)
		if status != 401 || strings.TrimSpace(body) != "unauthorized" {
			t.Errorf("%d %q", status, body)
		}
	}
	w.NeedsStandIn("its clock")
	k := must[*admin.Client](w)(w.Admin.CreateKey(w.ctx, "brief", "user", twoOperations, w.Now().Add(time.Second)))
	w.Cycle()
	w.refused(k.Send(w.ctx, admin.Request{OperationName: "Poll", Variables: map[string]any{"id": 1}}, nil), "unauthorized", "")
}

func TestF09_OneRequestAtATimePerKey(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsStandIn("a request that is held")
	slow, other := w.key(twoOperations), w.key(twoOperations)
	hold := make(chan struct{})
	w.Sim.Inject(goalertsim.Fault{Operation: "Ack", Times: 1, Hold: hold})
	id := w.alert(w.service(0), "lcr:CA111")
	done := make(chan error, 2)
	poll := admin.Request{OperationName: "Poll", Variables: map[string]any{"id": id}}
	go func() {
		done <- slow.Send(w.ctx, admin.Request{OperationName: "Ack", Variables: poll.Variables}, nil)
	}()
	w.soon("the held request", func() bool { return w.Sim.Serving(slow.Token) })
	go func() { done <- slow.Send(w.ctx, poll, nil) }()
	w.soon("one that waits", func() bool { return w.Sim.Waiting(slow.Token) == 1 })
	w.ok(other.Send(w.ctx, poll, nil)) // is not delayed
	if len(done) > 0 {
		t.Error("a request overtook another of its key")
	}
	close(hold)
	w.ok(<-done)
	w.ok(<-done)
}

func TestF09_ARequestWaits20SecondsForItsPlace(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsStandIn("a request that is held")
	k := w.key(twoOperations)
	hold := make(chan struct{})
	w.Sim.Inject(goalertsim.Fault{Operation: "Poll", Times: 1, Hold: hold})
	send := func(c chan<- error) {
		c <- k.Send(w.ctx, admin.Request{OperationName: "Poll", Variables: map[string]any{"id": 1}}, nil)
	}
	first, second := make(chan error, 1), make(chan error, 1)
	go send(first)
	w.soon("the held request", func() bool { return w.Sim.Serving(k.Token) })
	go send(second)
	w.soon("one that waits", func() bool { return w.Sim.Waiting(k.Token) == 1 })
	w.later(21 * time.Second)
	w.leftOpen(<-second, "does not get its place")
	close(hold)
	w.ok(<-first)
}

func TestF10_OneRequestMakesAtMost100DatabaseCalls(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.service(0), "lcr:CA111")
	document := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " a%d:alert(id:%d){recentEvents(input:{limit:1}){nodes{message}}}", i, id)
		}
		return "{" + b.String() + "}"
	}
	w.ask(w.Admin, document(90))
	w.refused(w.Admin.Query(w.ctx, document(100), nil), "external call limit reached for this request. Total calls: 101", "")
}

func TestF11_ABodyHasAtMost256KiB(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsStandIn("the answer is not known")
	w.ask(w.Admin, "{__typename}"+strings.Repeat(" ", 250<<10))
	w.leftOpen(w.Admin.Query(w.ctx, "{__typename}"+strings.Repeat(" ", 256<<10), nil), "body over 262144 bytes")
}

func TestF12_ConnectionsAreNotKeptAlive(t *testing.T) {
	w := open(t, goalertsim.Config{})
	resp, err := http.Post(w.URL+"/api/graphql", "application/json", bytes.NewBufferString("{}"))
	w.ok(err)
	if !resp.Close {
		t.Error("the connection stays open")
	}
}

func TestF13_SessionsAndKeysSurviveARestart(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsStandIn("a restart")
	k := w.key(twoOperations)
	w.Sim.Stop()
	if err := w.Admin.Query(w.ctx, "{__typename}", nil); err == nil {
		t.Error("a server that is stopped answers")
	}
	w.Sim.Resume()
	w.ask(w.Admin, "{__typename}")
	w.ok(k.Send(w.ctx, admin.Request{OperationName: "Poll", Variables: map[string]any{"id": 1}}, nil))
}

func TestOnlyWhatTheFactsNameIsServed(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsStandIn("what it refuses")
	w.leftOpen(w.Admin.Query(w.ctx, `{alert(id:1){createdAt}}`, nil), "createdAt")
	w.leftOpen(w.Admin.Query(w.ctx, `{services{nodes{id}}}`, nil), "without first")
	user := w.Person("Alice Example", "").Session()
	w.leftOpen(user.Query(w.ctx, `mutation{createEscalationPolicy(input:{name:"P"}){id}}`, nil), "set-up by anybody but an administrator")
	status, _ := w.post(w.URL+"/api/v2/uik", "application/json", "{}")
	if got := w.Sim.Refusals(); status != 501 || len(got) != 1 {
		t.Errorf("%d %q", status, got)
	}
	w.ask(w.Admin, `{alerts(input:{first:1}){nodes{alertID}}}`)
	w.ok(w.Admin.Send(w.ctx, admin.Request{
		Query:     `query($s:AlertStatus!,$n:Int!){alerts(input:{filterByStatus:[$s],first:$n}){nodes{alertID}}}`,
		Variables: map[string]any{"s": "StatusClosed", "n": 1},
	}, nil))
	if got := w.Sim.Assumed(); len(got) != 3 || !strings.Contains(strings.Join(got, ";"), "the type name AlertStatus") || !strings.Contains(strings.Join(got, ";"), "Query.alerts") {
		t.Errorf("assumed %q", got)
	}
}

func TestTheEngineRunsByItself(t *testing.T) {
	t.Parallel()
	target := goalertsim.Open(t, goalertsim.Config{Clock: clock.Scaled(time.Now(), 20)})
	target.NeedsStandIn("its configuration")
	w := &world{t, target, t.Context()}
	w.atStep(w.alert(w.people(0), "lcr:1"), 0, 1)
}

func TestEachFactHasATest(t *testing.T) {
	facts, err := os.ReadFile("FACTS.md")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	files, _ := filepath.Glob("*_test.go")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(text)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllStringSubmatch(string(facts), -1)
	for i, row := range rows {
		if n, _ := strconv.Atoi(row[1]); n != i+1 {
			t.Errorf("row %d has the number %d", i+1, n)
		}
		if want := fmt.Sprintf("func TestF%02d_", i+1); !strings.Contains(tests.String(), want) {
			t.Errorf("no %s…", want)
		}
	}
	if len(rows) < 61 {
		t.Errorf("%d facts", len(rows))
	}
}

func TestFaultsOnDemand(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsStandIn("faults")
	s := w.service(0)
	for _, status := range []int{500, 429} {
		remove := w.Sim.Inject(goalertsim.Fault{Path: "/api/graphql", Status: status})
		w.refused(w.Admin.Query(w.ctx, "{__typename}", nil), http.StatusText(status), "")
		remove()
		w.ask(w.Admin, "{__typename}")
	}
	w.Sim.Inject(goalertsim.Fault{Path: "/api/v2/generic", Times: 1, Cut: goalertsim.CutBefore})
	w.Sim.Inject(goalertsim.Fault{Path: "/api/v2/generic", Times: 1, Cut: goalertsim.CutAfter})
	post := func() (admin.Created, error) {
		return s.Post(w.ctx, admin.Alert{Summary: "Live call", Dedup: "lcr:CA111"})
	}
	for range 2 {
		if _, err := post(); err == nil {
			t.Error("a connection that is cut answers")
		}
	}
	if c, err := post(); err != nil || c.IsNew {
		t.Errorf("%+v, %v: the request before had an effect", c, err)
	}
	w.Sim.Inject(goalertsim.Fault{Times: 1, Delay: 5 * time.Second})
	start, done := w.Now(), make(chan error, 1)
	go func() { done <- w.Admin.Query(w.ctx, "{__typename}", nil) }()
	w.soon("the late answer", func() bool {
		w.Cycle()
		return len(done) == 1
	})
	w.ok(<-done)
	if late := w.Now().Sub(start); late < 5*time.Second {
		t.Errorf("the answer came after %v, want 5s", late)
	}
}

func TestF62_AUserWithoutAnIDIsTheSessionsOwn(t *testing.T) {
	w := open(t, goalertsim.Config{})
	p := w.Person("Alice Example", "")
	w.equal("the user", w.ask(p.Session(), `{user{name role}}`), `{"user":{"name":"Alice Example","role":"user"}}`)
	var out struct{ User struct{ Role string } }
	w.ok(w.Admin.Query(w.ctx, `{user{role}}`, &out))
	if out.User.Role != "admin" {
		t.Errorf("role %q", out.User.Role)
	}
}

func TestF64_AnAPIKeyIsTakenAway(t *testing.T) {
	w := open(t, goalertsim.Config{})
	var out struct{ CreateGQLAPIKey struct{ ID, Token string } }
	w.ok(w.Admin.Send(w.ctx, admin.Request{Query: "mutation($i:CreateGQLAPIKeyInput!){createGQLAPIKey(input:$i){id token}}", Variables: map[string]any{"i": map[string]any{
		"name": w.Unique("key"), "description": "of a test", "expiresAt": w.Now().Add(time.Hour).UTC().Format(time.RFC3339), "role": "user", "query": twoOperations,
	}}}, &out))
	k := &admin.Client{URL: w.URL, Token: out.CreateGQLAPIKey.Token}
	ask := func() error {
		return k.Send(w.ctx, admin.Request{OperationName: "Poll", Variables: map[string]any{"id": 2147483000}}, nil)
	}
	w.ok(ask())
	w.ok(w.Admin.DeleteKey(w.ctx, out.CreateGQLAPIKey.ID))
	w.Await("the key is refused", func() bool { return ask() != nil })
}
