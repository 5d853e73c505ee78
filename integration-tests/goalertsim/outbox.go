package goalertsim

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// hookTime is how long a receiver of webhooks may take.
const hookTime = 3 * time.Second

// post is a request that a cycle sends.
type post struct {
	url  string
	body any        // as JSON
	form url.Values // instead of body, to Twilio
	done func(reached bool, status int)
}

// hook is what a webhook has been told of an alert.
type hook struct {
	alert   *alert
	url     string
	due     bool   // the step was reached
	told    bool   // the alert was sent, so changes of its status follow
	pending string // the latest change that is not sent
	usedJob bool   // the first change was sent at once; later ones wait for the scan
}

// hookOf finds the state of a webhook for an alert.
func (db *database) hookOf(a *alert, url string) *hook {
	h := find(db.hooks, func(h *hook) bool { return h.alert == a && h.url == url })
	if h == nil {
		h = &hook{alert: a, url: url}
		db.hooks = append(db.hooks, h)
	}
	return h
}

// changed notes a change of status for the webhooks that were told of the alert. A change that was
// not sent yet is lost.
func (db *database) changed(a *alert, logEntry string) {
	for _, h := range db.hooks {
		if h.alert == a && h.told {
			h.pending = logEntry
		}
	}
}

// alertHooks are the webhooks of steps that were reached. Several alerts of a service make a
// bundle, after which nothing is told of them.
func (s *Sim) alertHooks() (posts []post) {
	type target struct {
		service *service
		url     string
	}
	due := map[target][]*hook{}
	var order []target
	for _, h := range s.db.hooks {
		if !h.due {
			continue
		}
		t := target{h.alert.service, h.url}
		if s.cfg.DisableMessageBundles {
			posts = append(posts, s.alertHook(h))
			continue
		}
		if due[t] == nil {
			order = append(order, t)
		}
		due[t] = append(due[t], h)
	}
	for _, t := range order {
		all := due[t]
		if len(all) == 1 {
			posts = append(posts, s.alertHook(all[0]))
			continue
		}
		posts = append(posts, post{url: t.url, body: map[string]any{"Type": "AlertBundle", "Count": len(all)}, done: func(reached bool, _ int) {
			for _, h := range all {
				h.due = !reached
			}
		}})
	}
	return posts
}

// hookBody is a webhook of an alert, with its fields in GoAlert's order.
type hookBody struct {
	AppName, Type, GoAlertURL string            `json:",omitempty"`
	AlertID                   int               `json:",omitempty"`
	LogEntry                  string            `json:",omitempty"`
	Summary                   *string           `json:",omitempty"`
	Details                   *string           `json:",omitempty"`
	ServiceID, ServiceName    string            `json:",omitempty"`
	Meta                      map[string]string `json:",omitempty"`
}

// describe adds what the alert is about.
func (b *hookBody) describe(a *alert) {
	b.Summary, b.Details, b.ServiceID, b.ServiceName = &a.summary, &a.details, a.service.id, a.service.name
	b.Meta = map[string]string{}
	for _, m := range a.meta {
		b.Meta[m.Key] = m.Value
	}
}

func (s *Sim) alertHook(h *hook) post {
	body := hookBody{AppName: "GoAlert", Type: "Alert", AlertID: h.alert.id}
	body.describe(h.alert)
	return post{url: h.url, body: body, done: func(reached bool, _ int) {
		h.due, h.told = !reached, h.told || reached
	}}
}

// statusHooks are changes of status: the first of an alert at once, the others once a minute.
func (s *Sim) statusHooks(now time.Time) (posts []post) {
	scan := !now.Before(s.db.nextScan)
	for scan && !s.db.nextScan.After(now) {
		s.db.nextScan = s.db.nextScan.Add(time.Minute)
	}
	for _, h := range s.db.hooks {
		if h.pending == "" || !scan && (h.usedJob || s.cfg.LateStatus) {
			continue
		}
		text := h.pending
		h.pending, h.usedJob = "", true
		body := hookBody{AppName: "GoAlert", Type: "AlertStatus", AlertID: h.alert.id, LogEntry: text}
		if s.cfg.Version == Head {
			body.describe(h.alert)
			body.GoAlertURL = s.publicURL("")
		}
		posts = append(posts, post{url: h.url, body: body, done: func(reached bool, _ int) {
			if !reached && h.pending == "" {
				h.pending, h.usedJob = text, false
			}
		}})
	}
	return posts
}

// scheduleHook tells who is on call by a schedule now. URLs of users were not seen whole.
func (db *database) scheduleHook(s *schedule) any {
	type person struct{ ID, Name, URL string }
	people := []person{}
	for _, id := range s.onCall {
		people = append(people, person{id, db.user(id).name, unspecified("URL")})
	}
	return struct {
		Type       string
		Users      []person
		ScheduleID string
	}{"ScheduleOnCallUsers", people, s.id}
}

// send sends requests at once and waits for the answers. Any answer counts as received; the order
// of requests to one receiver is kept.
func (s *Sim) send(ctx context.Context, posts []post) {
	byURL := map[string][]post{}
	for _, p := range posts {
		byURL[p.url] = append(byURL[p.url], p)
	}
	var all sync.WaitGroup
	for _, queue := range byURL {
		all.Go(func() {
			for _, p := range queue {
				reached, status := true, http.StatusCreated
				if !s.cfg.StubNotifiers {
					reached, status = s.post(ctx, p)
				}
				if p.done != nil {
					s.mu.Lock()
					p.done(reached, status)
					s.mu.Unlock()
				}
			}
		})
	}
	all.Wait()
}

// post sends one request. It tells whether there was an answer.
func (s *Sim) post(ctx context.Context, p post) (reached bool, status int) {
	ctx, cancel := context.WithTimeout(ctx, max(s.clock.Real(hookTime), time.Second))
	defer cancel()
	body, kind := []byte(p.form.Encode()), "application/x-www-form-urlencoded"
	if p.form == nil {
		body, _ = json.Marshal(p.body)
		kind = "application/json"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return false, 0
	}
	r.Header.Set("Content-Type", kind)
	if p.form != nil && strings.HasPrefix(p.url, s.cfg.TwilioURL) {
		r.SetBasicAuth(s.cfg.TwilioAccountSID, s.cfg.TwilioAuthToken)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false, 0
	}
	_ = resp.Body.Close()
	return true, resp.StatusCode
}
