package integrationform

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const (
	// keepTime is how long a secret that was typed waits for its form to be posted again.
	keepTime = 15 * time.Minute
	// maxKept bounds the forms whose secrets are kept at once; beyond it the oldest are forgotten.
	maxKept = 100
	// keptName is the name of the hidden inputs that say which secrets a form was told to be kept.
	keptName = "kept"
)

// kept has secrets of forms that were refused for another reason, so that nobody types them again.
// They are in this process's memory alone: never on a disk, in a page, or on another host, where
// the form asks for them again. A form finds those of the same login, integration and random
// number.
type kept struct {
	clock clock.Clock

	mu    sync.Mutex
	forms map[keptForm]keptSecrets
}

// keptForm is whose form it is, and which. Without the login another one's page would get them.
type keptForm struct{ whose, nonce, integration, plugin string }

// keptSecrets are texts by their fields' keys.
type keptSecrets struct {
	until  time.Time
	values map[string]string
}

func newKept(c clock.Clock) *kept { return &kept{clock: c, forms: map[keptForm]keptSecrets{}} }

// keep keeps the secrets of a form in place of those that it had. None forgets them, as do a form
// without a random number of the usual length, which is a program's, and one that is nobody's.
func (k *kept) keep(f keptForm, values map[string]string) {
	now := k.clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.forms, f)
	maps.DeleteFunc(k.forms, func(_ keptForm, s keptSecrets) bool { return !now.Before(s.until) })
	if len(values) == 0 || len(f.nonce) != nonceLength || f.whose == "" {
		return
	}
	if len(k.forms) >= maxKept {
		delete(k.forms, slices.MinFunc(slices.Collect(maps.Keys(k.forms)), func(a, b keptForm) int {
			return k.forms[a].until.Compare(k.forms[b].until)
		}))
	}
	k.forms[f] = keptSecrets{now.Add(keepTime), values}
}

// fill puts what is kept into the secrets that a posted form has empty, and returns the form's
// values with it. What was removed by its check box stays away. lost are fields of which the form
// was told that they are kept, and that are not: too late, or on another host.
func (k *kept) fill(f keptForm, values url.Values) (filled url.Values, lost []string) {
	k.mu.Lock()
	s := k.forms[f]
	k.mu.Unlock()
	if !k.clock.Now().Before(s.until) {
		s.values = nil
	}
	filled = maps.Clone(values)
	for _, key := range values[keptName] {
		name := form.Prefix + key
		secret, ok := s.values[key]
		switch {
		case strings.TrimSpace(values.Get(name)) != "" || values.Get(name+".remove") != "":
		case ok:
			filled[name] = []string{secret}
		default:
			lost = append(lost, key)
		}
	}
	return filled, lost
}

// keepSecrets keeps the secrets that were typed into a form that is refused, but for those that are
// what is wrong, and says beside each what becomes of it. Secrets are never sent to a browser: the
// form shows such a field as set.
func (f *Forms) keepSecrets(e *entered) error {
	wrong := map[string]bool{}
	for _, p := range e.Problems {
		key, _, _ := strings.Cut(p.Path, "/")
		wrong[key] = true
	}
	typed, doc := map[string]any{}, map[string]json.RawMessage{}
	if err := json.Unmarshal(e.options, &typed); err != nil {
		return err
	}
	if err := json.Unmarshal(e.Values, &doc); err != nil {
		return err
	}
	values := map[string]string{}
	for _, key := range e.typed {
		text, ok := typed[key].(string)
		if !ok || wrong[key] || e.who.whose == "" || len(e.Nonce) != nonceLength {
			e.Warnings = append(e.Warnings, integration.Problem{Path: key, Message: "This value was not saved and cannot be shown again. Type it again."})
			continue
		}
		values[key], doc[key] = text, json.RawMessage(`{"set":true}`)
		e.Kept = append(e.Kept, key)
		e.Warnings = append(e.Warnings, integration.Problem{Path: key,
			Message: fmt.Sprintf("What you typed is not saved yet, and not shown. It is kept for %d minutes: leave the field empty to use it.", int(keepTime.Minutes()))})
	}
	f.kept.keep(e.who, values)
	var err error
	e.Values, err = json.Marshal(doc)
	return err
}
