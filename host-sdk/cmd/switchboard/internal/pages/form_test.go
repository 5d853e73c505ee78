package pages_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/audio"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

func TestSavingAnIntegration(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	id := b.create()
	path := "/settings/integrations/" + id

	in, err := s.Store.Integration(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if !in.Enabled {
		t.Fatal("in.Enabled is false")
	}
	if in.Urgency != "high" {
		t.Fatalf("in.Urgency = %q, want %q", in.Urgency, "high")
	}
	if got, want := string(in.Options), `{"alpha":"`+canary+`","zeta":"Good morning"}`; got != want {
		t.Fatalf("stored options are %s, want %s", got, want)
	}

	// What is shown, sent back as it is, changes nothing but what was changed; a secret left empty
	// stays.
	v := b.get(path+"?created=1").is(200).has("Saved.", "Good morning", "Leave empty to keep it")
	again := filled(v.hidden("nonce"))
	again.Set("revision", v.hidden("revision"))
	again.Set("name", "Night <line> & \"more\"")
	again.Set("option.alpha", "")
	again.Del("enabled")
	again.Set("maintenance", "1")
	v = b.post(path, again).is(200).has("Saved.", "Night &lt;line&gt; &amp; &#34;more&#34;", "Off<")
	if diff := cmp.Diff(path+"?saved=1", v.path); diff != "" {
		t.Fatalf("v.path (-want +got):\n%s", diff)
	}
	in, err = s.Store.Integration(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if in.Name != `Night <line> & "more"` {
		t.Fatalf("in.Name = %q, want %q", in.Name, `Night <line> & "more"`)
	}
	if in.Enabled {
		t.Fatal("in.Enabled is true")
	}
	if !in.Maintenance {
		t.Fatal("in.Maintenance is false")
	}
	if got := string(in.Options); !strings.Contains(got, canary) {
		t.Fatalf("string(in.Options) does not contain %q:\n%s", canary, got)
	}

	// A secret is removed by its box, and the warning that comes of it stands beside the field.
	v = b.get(path)
	again.Set("nonce", v.hidden("nonce"))
	again.Set("revision", v.hidden("revision"))
	again.Set("option.alpha.remove", "1")
	b.post(path, again).is(200).has("Token is advised", `id="option-alpha-warning"`, `<span class="state">not set</span>`)
	in, err = s.Store.Integration(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(in.Options); strings.Contains(got, canary) {
		t.Fatalf("string(in.Options) contains %q:\n%s", canary, got)
	}
	if got := s.Log.String(); strings.Contains(got, canary) {
		t.Fatalf("s.Log.String() contains %q:\n%s", canary, got)
	}
}

func TestRefusedFieldsKeepWhatWasEntered(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	for _, c := range []struct {
		name   string
		change func(url.Values)
		has    []string
	}{
		{"an option", func(v url.Values) { v.Set("option.zeta", "") },
			[]string{"Greeting is missing", `id="option-zeta-error"`, `href="#option-zeta"`, `value="Hotline"`, `value="team:devops" checked`, "leave the field empty to use it"}},
		{"the name", func(v url.Values) { v.Set("name", " ") }, []string{"Name is missing", `href="#name"`, `aria-describedby="name-error"`, "Good morning"}},
		{"no destination", func(v url.Values) { v.Del("destination") }, []string{"Who callers can reach is missing", `href="#destinations"`, "Good morning"}},
		{"a team that is gone", func(v url.Values) { v.Set("destination", "team:gone") }, []string{"There is no team", "gone (no longer exists)", `value="team:gone" checked`, "Good morning"}},
		{"an urgency of one's own", func(v url.Values) { v.Set("urgency", "extreme") }, []string{"is unknown", `href="#urgency"`, "Good morning"}},
		{"off", func(v url.Values) { v.Del("enabled"); v.Set("name", "") }, []string{`name="enabled" value="1" aria-describedby`}},
	} {
		form := filled(b.get("/settings/integrations/new").hidden("nonce"))
		c.change(form)
		v := b.post("/settings/integrations/new", form).is(422).has("Not saved: 1 error.").has(c.has...)
		// Mended, the same form is saved.
		mended := filled(v.hidden("nonce"))
		mended.Set("name", "Mended "+c.name)
		b.post("/settings/integrations/new", mended).is(200).has("Mended ")
	}
	all, err := s.Store.ListIntegrations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 6 {
		t.Fatalf("len(all) = %d, want %d: %v", len(all), 6, all)
	}
}

// A secret that was typed into a form that is refused is typed once: it waits for the same form of
// the same login for a quarter of an hour, and is never shown.
func TestASecretWaitsForItsForm(t *testing.T) {
	t.Parallel()
	hands := clock.NewManual(time.Now())
	s := newSite(t, options{clock: hands})
	b, other := s.loggedIn("alice"), s.loggedIn("alice")
	const path, kept = "/settings/integrations/new", "It is kept for 15 minutes: leave the field empty to use it."
	refused := func() url.Values {
		t.Helper()
		form := filled(b.get(path).hidden("nonce"))
		form.Set("option.zeta", "")
		v := b.post(path, form).is(422).has(kept, `<span class="state">set</span>`, `id="option-alpha-warning"`).hasNot(canary, "Type it again")
		form.Set("option.alpha", "")
		form.Set("kept", v.hidden("kept"))
		// Refused once more, it still waits.
		b.post(path, form).is(422).has(kept).hasNot(canary)
		form.Set("option.zeta", "Good morning")
		return form
	}
	saved := func(v view) string {
		t.Helper()
		id, _, _ := strings.Cut(strings.TrimPrefix(v.is(200).path, "/settings/integrations/"), "?")
		in, err := s.Store.Integration(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		var options struct{ Alpha string }
		if err := json.Unmarshal(in.Options, &options); err != nil {
			t.Fatal(err)
		}
		return options.Alpha
	}
	posted := func(change func(url.Values)) url.Values {
		form := refused()
		change(form)
		return form
	}
	form := refused()
	if got := saved(b.post(path, form)); got != canary {
		t.Errorf("posted again, the form saves the secret %q", got)
	}
	// A second click finds what the first one has made, also on another host.
	second := httptest.NewServer(s.handler(options{clock: hands}))
	t.Cleanup(second.Close)
	there := &browser{t, second.URL, b.client, b.jar}
	if here := b.post(path, form).is(200); there.post(path, form).is(200).path != here.path {
		t.Error("a second click on another host leads elsewhere")
	}
	// It is forgotten then. A form that counts on it is told so, and not saved without it.
	const lost = "Token is no longer kept: type it again"
	form.Set("name", "Another")
	b.post(path, form).is(422).has(lost, `<span class="state">not set</span>`).hasNot(`name="kept"`)
	other.post(path, refused()).is(422).has(lost)
	b.post(path, posted(func(v url.Values) { v.Set("nonce", strings.Repeat("0", 32)) })).is(422).has(lost)
	form = refused()
	hands.Advance(15 * time.Minute)
	b.post(path, form).is(422).has(lost)
	for name, one := range map[string]struct {
		form url.Values
		want string
	}{
		"removed":             {posted(func(v url.Values) { v.Set("option.alpha.remove", "1") }), ""},
		"typed anew":          {posted(func(v url.Values) { v.Set("option.alpha", canary+"-2") }), canary + "-2"},
		"not counted on":      {posted(func(v url.Values) { v.Del("kept") }), ""},
		"what was typed once": {refused(), canary},
	} {
		if got := saved(b.post(path, one.form)); got != one.want {
			t.Errorf("%s: saves the secret %q, want %q", name, got, one.want)
		}
	}
	if log := s.Log.String(); strings.Contains(log, canary) {
		t.Error("the log has the secret")
	}
}

func TestDoubleSubmit(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	form := filled(b.get("/settings/integrations/new").hidden("nonce"))
	var all sync.WaitGroup
	paths := make([]string, 4)
	for i := range paths {
		all.Go(func() { paths[i] = b.post("/settings/integrations/new", form).path })
	}
	all.Wait()
	list, err := s.Store.ListIntegrations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 {
		t.Fatalf("len(list) = %d, want %d: %v", len(list), 1, list)
	}
	for _, path := range paths {
		if diff := cmp.Diff("/settings/integrations/"+list[0].ID+"?created=1", path); diff != "" {
			t.Fatalf("path (-want +got):\n%s", diff)
		}
	}

	// Saving twice is saving once, not a conflict with oneself.
	path := "/settings/integrations/" + list[0].ID
	v := b.get(path)
	form.Set("nonce", v.hidden("nonce"))
	form.Set("revision", v.hidden("revision"))
	for range 2 {
		b.post(path, form).is(200).has("Saved.")
	}
	in, err := s.Store.Integration(t.Context(), list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if in.Revision != 2 {
		t.Fatalf("in.Revision = %v, want %v", in.Revision, 2)
	}

	for range 2 {
		if got := b.post(path+"/delete", nil).is(200).has("was deleted").path; got != "/settings/integrations?deleted=1" {
			t.Fatalf(`b.post(path+"/delete", nil).is(200).has("was deleted").path = %q, want %q`, got, "/settings/integrations?deleted=1")
		}
	}
}

// TestAFormWhoseClicksReachTwoHostsMakesOneIntegration has two hosts behind a balancer.
func TestAFormWhoseClicksReachTwoHostsMakesOneIntegration(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	s := &site{h, t}
	hosts := []http.Handler{s.handler(options{}), s.handler(options{})}
	var turn atomic.Int64
	h.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hosts[turn.Add(1)%2].ServeHTTP(w, r) }))
	b := s.loggedIn("alice")
	form := filled(b.get("/settings/integrations/new").hidden("nonce"))
	var all sync.WaitGroup
	paths := make([]string, 4)
	for i := range paths {
		all.Go(func() { paths[i] = b.post("/settings/integrations/new", form).path })
	}
	all.Wait()
	list, err := s.Store.ListIntegrations(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("there are %d integrations, want 1: %v", len(list), err)
	}
	for _, path := range paths {
		if want := "/settings/integrations/" + list[0].ID + "?created=1"; path != want {
			t.Errorf("a click leads to %s, want %s", path, want)
		}
	}
}

func TestSomebodyElseSavedMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	alice, bob := s.loggedIn("alice"), s.loggedIn("bob")
	path := "/settings/integrations/" + alice.create()
	mine, theirs := alice.get(path), bob.get(path)

	form := filled(theirs.hidden("nonce"))
	form.Set("revision", theirs.hidden("revision"))
	form.Set("option.zeta", "Bob says hello")
	form.Set("urgency", "low")
	bob.post(path, form).is(200).has("Saved.")

	form = filled(mine.hidden("nonce"))
	form.Set("revision", mine.hidden("revision"))
	form.Set("option.zeta", "Alice says hello")
	v := alice.post(path, form).is(409).has("Somebody else saved this integration", "Theirs differ in: Urgency, Greeting.", "Alice says hello", "leave the field empty to use it").hasNot("Bob says hello")
	in, err := s.Store.ListIntegrations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := string(in[0].Options); !strings.Contains(got, "Bob says hello") {
		t.Fatalf("string(in[0].Options) does not contain %q:\n%s", "Bob says hello", got)
	}

	// Sent again, hers replaces his.
	form.Set("nonce", v.hidden("nonce"))
	form.Set("revision", v.hidden("revision"))
	alice.post(path, form).is(200).has("Saved.", "Alice says hello")

	// Deleted meanwhile: said plainly.
	mine = alice.get(path)
	bob.post(path+"/delete", nil).is(200)
	form.Set("nonce", mine.hidden("nonce"))
	alice.post(path, form).is(404).has("It was deleted", "was not saved")
	alice.get(path).is(404).has("It was deleted")
	alice.post(path+"/do/greet", url.Values{"value.who": {"you"}}).is(404).has("It was deleted")
}

func TestActions(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	path := "/settings/integrations/" + b.create()
	v := b.get(path).has(`id="run-greet"`, `id="value-greet-who"`, "Says hello.")
	nonce := strings.Split(strings.SplitN(v.body, `id="action-greet"`, 2)[1], `value="`)[1][:32]
	v = b.post(path+"/do/greet", url.Values{"nonce": {nonce}, "value.who": {"<everybody>"}}).is(200).has("hello &lt;everybody&gt;", `class="result ok"`)
	if diff := cmp.Diff(path+"?result="+nonce, v.path); diff != "" {
		t.Fatalf("a reload does not run it again (-want +got):\n%s", diff)
	}
	b.get(v.path).has("hello &lt;everybody&gt;")
	b.post(path+"/do/greet", url.Values{"value.who": {""}}).is(200).has("Who is missing", `class="result bad"`)
	b.post(path+"/do/break", nil).is(500).has("The log has the details").hasNot("broken with details")
	b.post(path+"/do/nothing", nil).is(404)
	if got := s.Log.String(); !strings.Contains(got, "broken with details") {
		t.Fatalf("s.Log.String() does not contain %q:\n%s", "broken with details", got)
	}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{plugins: promptPlugins{}})
	b := s.loggedIn("alice")
	send := func(data []byte) view {
		form := filled(b.get("/settings/integrations/new").hidden("nonce"))
		form.Set("option.zeta", "")
		form.Set("option.beta", "second, after the file")
		return b.upload("/settings/integrations/new", form, map[string][]byte{"option.zeta.upload": data})
	}
	for name, c := range map[string]struct {
		data []byte
		has  string
	}{
		"no sound":                {[]byte("%PDF-1.7 this is no sound"), "Greeting: the content of the file is neither MP3 nor WAV"},
		"damaged":                 {hosttest.WAV(0), "Greeting: the file is damaged"},
		"too large":               {make([]byte, audio.MaxBytes+1), "Greeting: the file is larger than 16 MiB"},
		"too large for the field": {hosttest.WAV(200 * time.Second), "Greeting: the file is larger than 2 MiB"},
	} {
		send(c.data).is(422).has(c.has, `id="option-zeta-error"`, "second, after the file", `value="Hotline"`)
		_ = name
	}
	b.upload("/settings/integrations/new", filled(""), map[string][]byte{"option.zeta.upload": make([]byte, 70<<20)}).is(413).has("larger than 64 MiB")
	all, err := s.Store.ListIntegrations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 0 {
		t.Fatalf("all is not empty: %v", all)
	}

	v := send(hosttest.WAV(2*time.Second)).is(200).has("Uploaded file", "<audio controls")
	path, _, _ := strings.Cut(v.path, "?")
	ref := v.hidden("option.zeta.media")
	medium, err := s.Store.MediumInfo(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if !medium.Public {
		t.Fatal("the telephone service fetches it")
	}
	if medium.Duration != 2*time.Second {
		t.Fatalf("medium.Duration = %v, want %v", medium.Duration, 2*time.Second)
	}
	if got := b.get("/api/v1/media/" + ref).status; got != 200 {
		t.Fatalf("the page's player can play it: got %v, want %v", got, 200)
	}

	// It stays when the form is saved again, and goes when it is removed.
	form := filled(v.hidden("nonce"))
	form.Set("revision", v.hidden("revision"))
	form.Set("option.zeta", "")
	form.Set("option.zeta.media", ref)
	v = b.upload(path, form, nil).is(200).has("Saved.", "Uploaded file")
	form.Set("nonce", v.hidden("nonce"))
	form.Set("revision", v.hidden("revision"))
	form.Set("option.zeta.remove", "1")
	b.upload(path, form, nil).is(422).has("Greeting is missing").hasNot("Uploaded file")
}

// The form comes before the endpoint and the actions, its sections are linked, and each link leads
// to an element of the page.
func TestFormComesFirstInLinkedSections(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	v := b.get("/settings/integrations/" + b.create()).is(200)
	form, endpoint, actions := strings.Index(v.body, `id="form-integration"`), strings.Index(v.body, `id="endpoint"`), strings.Index(v.body, `id="actions"`)
	if form < 0 || form > endpoint || endpoint > actions {
		t.Errorf("the form is at %d, the endpoint at %d, the actions at %d", form, endpoint, actions)
	}
	nav := regexp.MustCompile(`(?s)<nav class="sections".*?</nav>`).FindString(v.body)
	links := regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(nav, -1)
	if len(links) != 3 {
		t.Errorf("the sections are\n%s", nav)
	}
	for _, link := range links {
		v.has(`id="` + link[1] + `"`)
	}
	v = b.post("/settings/integrations/new", url.Values{"plugin": {hosttest.PluginID}, "option.zeta": {""}}).is(422)
	v.has(`<span class="badge bad">3 errors</span>`)
	if name, greeting := strings.Index(v.body, `href="#name"`), strings.Index(v.body, `href="#option-zeta"`); name < 0 || name > greeting {
		t.Errorf("the errors are not in the order of the form: name at %d, greeting at %d", name, greeting)
	}
}
