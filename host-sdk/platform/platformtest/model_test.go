package platformtest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/mailbox"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// model is a platform in memory that does everything right, but for one defect.
type model struct {
	defect string

	mu       sync.Mutex
	alerts   map[platform.Hint]*record
	count    int
	watchers map[chan platform.Hint]bool
}

// record is an alert with the lines of its log.
type record struct {
	integration.AlertSnapshot
	lines []string
}

func newModel(defect string) *model {
	return &model{defect: defect, alerts: map[platform.Hint]*record{}, watchers: map[chan platform.Hint]bool{}}
}

var (
	modelPeople = map[string]integration.User{
		"alice": {ID: "alice", Name: "Alice Example", Email: "alice@example.com", Phones: []string{"+12025550143"}},
		"bob":   {ID: "bob", Name: "Bob Example", Email: "bob@example.com", Phones: []string{"+12025550144"}},
	}
	modelTeams  = map[string]string{"devops": "DevOps", "support": "customer support", "idle": "Nobody"}
	modelLayers = map[string][][]string{"devops": {{"alice"}, {"bob", "alice"}}, "support": {{"bob"}}, "idle": {}}
)

func (m *model) has(defect string) bool { return m.defect == defect }

func (m *model) Capabilities(context.Context, platform.Scope) (integration.Capabilities, error) {
	return integration.Capabilities{
		UnroutedAlerts: true, Reopen: true, Escalate: true, AcknowledgeAs: true, AcknowledgedByUser: true,
		Annotations: true, Audiences: true, Routers: m.has("declares routers"),
	}, nil
}

func (m *model) Destinations(_ context.Context, _ platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	var out []integration.Destination
	for _, ref := range refs {
		name, known := modelTeams[ref.ID]
		known = known && ref.Kind == integration.DestinationTeam
		if !known && m.has("leaves unknown teams out") {
			continue
		}
		out = append(out, integration.Destination{Kind: ref.Kind, ID: ref.ID, Name: name, Missing: !known})
	}
	return out, nil
}

func (m *model) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	var out []integration.Destination
	for id, name := range modelTeams {
		out = append(out, integration.Destination{Kind: integration.DestinationTeam, ID: id, Name: name})
	}
	fold := strings.ToLower
	if m.has("sorts by case") {
		fold = func(s string) string { return s }
	}
	slices.SortFunc(out, func(a, b integration.Destination) int { return strings.Compare(fold(a.Name), fold(b.Name)) })
	return out, nil
}

func (m *model) OnCall(_ context.Context, _ platform.Scope, team string, layer int, _ time.Time) ([]integration.OnCallEntry, error) {
	layers, known := modelLayers[team]
	if !known {
		return nil, integration.Errorf(integration.KindNotFound, "there is no team %q", team)
	}
	var out []integration.OnCallEntry
	for i, users := range layers {
		for _, id := range users {
			if layer == 0 || layer == i+1 {
				out = append(out, integration.OnCallEntry{Layer: i + 1, User: modelPeople[id]})
			}
		}
	}
	return out, nil
}

func (m *model) User(_ context.Context, _ platform.Scope, id string) (integration.User, error) {
	u, known := modelPeople[id]
	if !known {
		return u, integration.Errorf(integration.KindNotFound, "there is no user %q", id)
	}
	if m.has("hides phones") {
		u.Phones = nil
	}
	return u, nil
}

// UserByEmail implements platform.UserByEmail.
func (m *model) UserByEmail(_ context.Context, _ platform.Scope, email string) (integration.User, error) {
	for _, u := range modelPeople {
		if u.Email == email || mailbox.Key(u.Email) == mailbox.Key(email) && !m.has("tells cases of addresses apart") {
			return u, nil
		}
	}
	return integration.User{}, integration.Errorf(integration.KindNotFound, "nobody has the address %q", email)
}

func (m *model) Route(context.Context, platform.Scope, string, []byte, time.Time) (integration.RouteVerdict, error) {
	return integration.RouteVerdict{}, integration.Errorf(integration.KindUnsupported, "this platform has no routers")
}

func (m *model) Audience(_ context.Context, _ platform.Scope, _ integration.Audience, teams []string, _ time.Time) ([]string, error) {
	// The last two are two people, though other foldings than mailbox.Key's take them for one.
	out := []string{"alice@example.com", "bob@example.com", "kim@example.com", "\u212Aim@example.com"}
	for _, id := range teams {
		if modelTeams[id] == "" {
			return nil, integration.Errorf(integration.KindNotFound, "there is no team %q", id)
		}
		if m.has("writes to people twice") {
			out = append(out, "alice@example.com")
		}
	}
	return out, nil
}

func (m *model) Alert(_ context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.has("mixes integrations") {
		scope.Integration = ""
	}
	a := m.alerts[platform.Hint{Scope: scope, AlertKey: key}]
	if a == nil || m.has("hides what is not routed") && a.Status == integration.AlertQueued {
		return integration.AlertSnapshot{}, integration.Errorf(integration.KindNotFound, "there is no alert %q", key)
	}
	out := a.AlertSnapshot
	out.Acknowledgements, out.Declined = slices.Clone(a.Acknowledgements), slices.Clone(a.Declined)
	out.ReadAt = time.Now()
	if m.has("counts nothing") {
		out.LastCommand = 0
	}
	if m.has("names nobody") {
		for i := range out.Acknowledgements {
			out.Acknowledgements[i].User = ""
		}
	}
	return out, nil
}

func (m *model) Apply(ctx context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	if err := ctx.Err(); err != nil {
		return integration.Errorf(integration.KindDeadline, "given up: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.has("mixes integrations") {
		scope.Integration = ""
	}
	at := platform.Hint{Scope: scope, AlertKey: cmd.AlertKey}
	a := m.alerts[at]
	switch {
	case a == nil && cmd.Kind == integration.AlertCreate:
		m.count++
		a = &record{AlertSnapshot: integration.AlertSnapshot{Key: cmd.AlertKey, ID: fmt.Sprintf("M-%d", m.count), Status: integration.AlertQueued}}
		m.alerts[at] = a
	case a == nil:
		return integration.Errorf(integration.KindNotFound, "there is no alert %q", cmd.AlertKey)
	case cmd.Number <= a.LastCommand && !m.has("forgets numbers"):
		if m.has("doubles lines") && cmd.Kind == integration.AlertLog {
			a.lines = append(a.lines, cmd.Text)
		}
		return nil
	}
	if err := m.run(a, cmd); err != nil {
		return err
	}
	a.LastCommand = max(a.LastCommand, cmd.Number)
	for w := range m.watchers {
		select {
		case w <- at:
		default:
		}
	}
	return nil
}

// page goes to the first layer after one that has anybody on call.
func (a *record) page(after int) bool {
	for layer := after + 1; layer < 10; layer++ {
		if users := a.on(layer); len(users) > 0 {
			a.Layer, a.Round, a.Status = layer, 1, integration.AlertOpen
			a.Declined = slices.DeleteFunc(a.Declined, func(u string) bool { return slices.Contains(users, u) })
			return true
		}
	}
	return false
}

func (a *record) on(layer int) []string {
	var out []string
	for _, team := range a.Teams {
		if l := modelLayers[team]; layer >= 1 && layer <= len(l) {
			out = append(out, l[layer-1]...)
		}
	}
	return out
}

func (m *model) run(a *record, cmd integration.AlertCommand) error {
	switch cmd.Kind {
	case integration.AlertCreate, integration.AlertAddField, integration.AlertAttach:
	case integration.AlertLog:
		a.lines = append(a.lines, cmd.Text)
	case integration.AlertRoute:
		return m.route(a, cmd.Teams)
	case integration.AlertAcknowledge:
		return m.acknowledge(a, cmd)
	case integration.AlertReopen:
		return m.reopen(a, cmd.Ack)
	case integration.AlertDecline:
		m.decline(a, cmd.User)
	case integration.AlertEscalate:
		switch {
		case m.has("escalates by name only"):
		case m.has("escalates whatever is named") || a.Status == integration.AlertOpen && a.Layer == cmd.Layer && a.Round == cmd.Round:
			a.page(a.Layer)
		}
	case integration.AlertResolve:
		a.Status = integration.AlertResolved
	default:
		if m.has("takes any command") {
			return nil
		}
		return integration.Errorf(integration.KindUnsupported, "command %q is not known", cmd.Kind)
	}
	return nil
}

func (m *model) route(a *record, teams []string) error {
	for _, id := range teams {
		if modelTeams[id] == "" {
			return integration.Errorf(integration.KindNotFound, "there is no team %q", id)
		}
	}
	if a.Status != integration.AlertQueued && slices.Equal(a.Teams, teams) && !m.has("pages again") {
		return nil
	}
	a.Teams = teams
	if a.Status != integration.AlertAcknowledged && a.Status != integration.AlertResolved && !a.page(0) && !m.has("waits for nobody") {
		a.Status, a.Layer, a.Round = integration.AlertDropped, 0, 0
	}
	return nil
}

func (m *model) acknowledge(a *record, cmd integration.AlertCommand) error {
	if _, known := modelPeople[cmd.User]; !known && !m.has("believes in anybody") {
		return integration.Errorf(integration.KindNotFound, "there is no user %q", cmd.User)
	}
	if a.Status == integration.AlertAcknowledged && m.has("lets the second win") {
		a.Status, a.Acknowledgements = integration.AlertOpen, nil
	}
	if a.Status == integration.AlertAcknowledged || a.Status == integration.AlertResolved && !m.has("acknowledges what is over") {
		return nil
	}
	id := fmt.Sprintf("%s-%d", a.ID, cmd.Number)
	if m.has("uses ids again") {
		id = a.ID + "-" + cmd.User
	}
	a.Status = integration.AlertAcknowledged
	a.Declined = slices.DeleteFunc(a.Declined, func(u string) bool { return u == cmd.User })
	a.Acknowledgements = append(a.Acknowledgements, integration.Acknowledgement{ID: id, User: cmd.User, At: time.Now(), Command: cmd.Number})
	return nil
}

func (m *model) reopen(a *record, ack string) error {
	if m.has("declares reopen") {
		return integration.Errorf(integration.KindUnsupported, "this platform has no reopen")
	}
	if ack == "" {
		if a.Status == integration.AlertResolved || a.Status == integration.AlertDropped {
			a.Acknowledgements = nil
			a.page(0)
		}
		return nil
	}
	left := slices.DeleteFunc(slices.Clone(a.Acknowledgements), func(k integration.Acknowledgement) bool { return k.ID == ack || m.has("takes back any") })
	if len(left) == len(a.Acknowledgements) {
		return nil
	}
	if a.Acknowledgements = left; len(left) == 0 {
		a.Acknowledgements = nil
	}
	if len(left) == 0 && a.Status == integration.AlertAcknowledged {
		a.page(max(a.Layer, 1) - 1)
	}
	return nil
}

func (m *model) decline(a *record, user string) {
	users := a.on(a.Layer)
	if a.Status != integration.AlertOpen || !slices.Contains(users, user) || slices.Contains(a.Declined, user) {
		return
	}
	a.Declined = append(a.Declined, user)
	if !m.has("ignores declines") && !slices.ContainsFunc(users, func(u string) bool { return !slices.Contains(a.Declined, u) }) {
		a.page(a.Layer)
	}
}

// ApplyAll implements platform.BatchApplier.
func (m *model) ApplyAll(ctx context.Context, scope platform.Scope, cmds []integration.AlertCommand) (int, error) {
	var failed error
	for i, cmd := range cmds {
		err := m.Apply(ctx, scope, cmd)
		if err == nil && m.has("counts batches short") && i == len(cmds)-1 {
			return i, integration.Errorf(integration.KindUnavailable, "one is left")
		}
		switch {
		case err != nil && m.has("goes on in a batch"):
			failed = err
		case err != nil:
			return i, err
		}
	}
	if failed != nil {
		return 1, failed
	}
	return len(cmds), nil
}

func (m *model) Watch(ctx context.Context, hint func(platform.Hint)) error {
	c := make(chan platform.Hint, 1000)
	m.mu.Lock()
	m.watchers[c] = true
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.watchers, c)
	}()
	for {
		select {
		case h := <-c:
			if !m.has("hints at nothing") {
				hint(h)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (m *model) Health(context.Context) error { return nil }

// Findings implements platform.Finder.
func (m *model) Findings() []string {
	if m.defect == "" {
		return nil
	}
	return []string{"this model has the defect " + m.defect}
}

// log reads the lines of an alert's log.
func (m *model) log(scope platform.Scope) func(context.Context, string) ([]string, error) {
	return func(_ context.Context, key string) ([]string, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		a := m.alerts[platform.Hint{Scope: scope, AlertKey: key}]
		if a == nil {
			return nil, nil
		}
		return slices.Clone(a.lines), nil
	}
}

// EraseRecordings implements platform.Eraser.
func (m *model) EraseRecordings(ctx context.Context, scope platform.Scope, key string, _ []string, _ string) error {
	_, err := m.Alert(ctx, scope, key)
	return err
}

// EraseAlert implements platform.Eraser.
func (m *model) EraseAlert(ctx context.Context, scope platform.Scope, key string) error {
	a, err := m.Alert(ctx, scope, key)
	if err != nil || m.has("keeps what it deletes") && a.Status == integration.AlertResolved {
		return err
	}
	if a.Status != integration.AlertResolved && a.Status != integration.AlertDropped && !m.has("deletes what is open") {
		return integration.Errorf(integration.KindConflict, "the alert is %s: resolve it first", a.Status)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.has("mixes integrations") {
		scope.Integration = ""
	}
	delete(m.alerts, platform.Hint{Scope: scope, AlertKey: key})
	return nil
}

// OldAlerts implements platform.Eraser: no alert here becomes old.
func (m *model) OldAlerts(context.Context, time.Time, string, int) ([]platform.OldAlert, error) {
	return nil, nil
}

// ExpireAlerts implements platform.Eraser.
func (m *model) ExpireAlerts(_ context.Context, list []platform.OldAlert, _ time.Time) (int, error) {
	if m.has("deletes what is open") {
		for _, a := range list {
			_ = m.EraseAlert(context.Background(), a.Scope, a.Key)
		}
	}
	return 0, nil
}

// ForgetText implements platform.Eraser.
func (m *model) ForgetText(_ context.Context, number, by string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	total := 0
	for _, a := range m.alerts {
		for i, line := range a.lines {
			text, n := phone.Replace(line, number, by)
			if m.has("forgets longer numbers") {
				text = strings.ReplaceAll(line, number, by)
			}
			a.lines[i], total = text, total+n
		}
	}
	return total, nil
}
