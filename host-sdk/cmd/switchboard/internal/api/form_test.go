package api_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const typedSecret = "canary-typed-secret"

// shownForm is what these tests look at of a form.
type shownForm struct {
	Integration *struct {
		ID       string
		Revision int64
	}
	HTML      string
	Actions   []struct{ Name, HTML string }
	Problems  []struct{ Path, Message string }
	Warnings  []struct{ Path, Message string }
	ScriptURL string `json:"script_url"`
	StyleURL  string `json:"style_url"`
}

// has checks that the form's HTML has the texts.
func (f shownForm) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(f.HTML, text) {
			t.Fatalf("the form has no %q:\n%s", text, f.HTML)
		}
	}
	if strings.Contains(f.HTML, typedSecret) {
		t.Fatalf("the form holds a secret:\n%s", f.HTML)
	}
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// fields are the values that the form carries along, and those that a person enters.
func (f shownForm) fields(entered url.Values) url.Values {
	values := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(f.HTML, -1) {
		values.Set(m[1], m[2])
	}
	for name, v := range entered {
		values[name] = v
	}
	return values
}

// postForm posts fields as a browser does, and wants a status.
func postForm(t *testing.T, h *hosttest.Host, status int, path string, values url.Values) (shownForm, http.Header) {
	t.Helper()
	req := h.Request("POST", path, values.Encode())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a := h.Send(req)
	if a.Status != status {
		t.Fatalf("POST %s: status %d, want %d\n%s", path, a.Status, status, a.Body)
	}
	var f shownForm
	a.JSON(t, &f)
	return f, a.Header
}

func getForm(t *testing.T, h *hosttest.Host, path string) shownForm {
	t.Helper()
	var f shownForm
	h.Want(200, "GET", path, nil).JSON(t, &f)
	return f
}

const newForm = "/api/v1/plugins/" + hosttest.PluginID + "/form"

func entered() url.Values {
	return url.Values{"name": {"Hotline"}, "enabled": {"1"}, "urgency": {"high"}, "destination": {"team:devops"},
		"option.zeta": {"Good morning"}, "option.alpha": {typedSecret}}
}

// createByForm creates an integration by its form and returns the path of its form.
func createByForm(t *testing.T, h *hosttest.Host) string {
	t.Helper()
	f, _ := postForm(t, h, 201, newForm, getForm(t, h, newForm).fields(entered()))
	return "/api/v1/integrations/" + f.Integration.ID + "/form"
}

func TestAnotherProductCreatesAnIntegrationByItsForm(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	f := getForm(t, h, newForm)
	f.has(t, `<div class="integration-form">`, `name="name"`, `name="destination" value="team:devops"`, `name="option.zeta"`, `type="password"`)
	if f.Integration != nil || len(f.Actions) != 0 || strings.Contains(f.HTML, "<form") || strings.Contains(f.HTML, "<script") {
		t.Errorf("a new form: %+v", f)
	}

	// Refused: the problem is beside its field, and what was typed is kept, but for the secret.
	wrong := entered()
	wrong.Set("option.zeta", "")
	refused, _ := postForm(t, h, 422, newForm, f.fields(wrong))
	refused.has(t, `id="option-zeta-error"`, "Greeting is missing", `value="Hotline"`, `value="team:devops" checked`, "leave the field empty to use it", `value="high" selected`)
	if len(refused.Problems) != 1 || refused.Problems[0].Path != "zeta" {
		t.Errorf("problems: %+v", refused.Problems)
	}

	mended := entered()
	mended.Set("option.alpha", "")
	saved, header := postForm(t, h, 201, newForm, refused.fields(mended))
	saved.has(t, "Good morning", "Leave empty to keep it", "Saved.")
	if want := "/api/v1/integrations/" + saved.Integration.ID; header.Get("Location") != want {
		t.Errorf("Location is %q, want %q", header.Get("Location"), want)
	}
	if len(saved.Actions) != 1 {
		t.Errorf("actions: %+v", saved.Actions)
	}
	in, err := h.Store.Integration(t.Context(), saved.Integration.ID)
	if err != nil || !strings.Contains(string(in.Options), typedSecret) || in.Urgency != "high" {
		t.Errorf("stored %+v, %v", in, err)
	}

	// A second click makes no second integration.
	again, _ := postForm(t, h, 201, newForm, refused.fields(mended))
	all, err := h.Store.ListIntegrations(t.Context())
	if err != nil || len(all) != 1 || again.Integration.ID != in.ID {
		t.Errorf("after a second click: %d integrations, %v; %+v", len(all), err, again.Integration)
	}
}

func TestAnotherProductSavesAFormAndIsOvertaken(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	path := createByForm(t, h)
	mine, theirs := getForm(t, h, path), getForm(t, h, path)
	mine.has(t, "Good morning", "Leave empty to keep it", `name="revision" value="1"`)

	change := entered()
	change.Set("option.zeta", "Good evening")
	change.Set("option.alpha", "")
	change.Del("destination") // refused: somebody must be reachable
	refused, _ := postForm(t, h, 422, path, theirs.fields(change))
	refused.has(t, `id="destinations-error"`, "Good evening")
	change.Set("destination", "team:devops")
	saved, _ := postForm(t, h, 200, path, refused.fields(change))
	saved.has(t, "Good evening", "Saved.", `name="revision" value="2"`)
	in, err := h.Store.Integration(t.Context(), saved.Integration.ID)
	if err != nil || !strings.Contains(string(in.Options), typedSecret) {
		t.Errorf("an empty secret has to stay: %s, %v", in.Options, err)
	}

	// A warning of the save is beside its field.
	change.Set("option.alpha.remove", "1")
	warned, _ := postForm(t, h, 200, path, saved.fields(change))
	warned.has(t, "Token is advised", `id="option-alpha-warning"`)
	if len(warned.Warnings) != 1 || warned.Warnings[0].Path != "alpha" {
		t.Errorf("warnings: %+v", warned.Warnings)
	}

	// The same page, kept by somebody who fills it in otherwise: it is not taken for a second
	// click.
	other := entered()
	other.Set("name", "Another hotline")
	postForm(t, h, 409, path, theirs.fields(other))

	overtaken, _ := postForm(t, h, 409, path, mine.fields(entered()))
	overtaken.has(t, "Somebody else saved", "Theirs differ in: Greeting.", "Good morning")
	postForm(t, h, 200, path, overtaken.fields(entered()))

	h.Want(204, "DELETE", strings.TrimSuffix(path, "/form"), nil)
	kind, _ := errorOf(t, h.Want(404, "GET", path, nil))
	if kind != "not_found" {
		t.Errorf("kind is %q", kind)
	}
	postForm(t, h, 404, path, overtaken.fields(entered()))
}

func TestAnotherProductRunsAnAction(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	path := createByForm(t, h)
	act := func(status int, name, who string) shownForm {
		t.Helper()
		f, _ := postForm(t, h, status, path, url.Values{"action": {name}, "value.who": {who}})
		return f
	}
	if f := act(200, "greet", "<everybody>"); !strings.Contains(f.Actions[0].HTML, "hello &lt;everybody&gt;") || !strings.Contains(f.Actions[0].HTML, `class="result ok"`) {
		t.Errorf("greeted: %s", f.Actions[0].HTML)
	}
	if f := act(200, "greet", ""); !strings.Contains(f.Actions[0].HTML, "Who is missing") || !strings.Contains(f.Actions[0].HTML, `class="result bad"`) {
		t.Errorf("refused: %s", f.Actions[0].HTML)
	}
	act(404, "nothing", "")
	act(500, "break", "")
	postForm(t, h, 400, newForm, url.Values{"action": {"greet"}})

	// The form of an action names it, and runs it once.
	f := getForm(t, h, path)
	values := shownForm{HTML: f.Actions[0].HTML}.fields(url.Values{"value.who": {"you"}})
	for range 2 {
		if f, _ := postForm(t, h, 200, path, values); !strings.Contains(f.Actions[0].HTML, "hello you") {
			t.Errorf("posted twice: %s", f.Actions[0].HTML)
		}
	}
	// A page that was kept and filled in again is no second click.
	values.Set("value.who", "somebody else")
	if f, _ := postForm(t, h, 200, path, values); !strings.Contains(f.Actions[0].HTML, "hello somebody else") {
		t.Errorf("filled in again: %s", f.Actions[0].HTML)
	}
}

// What belongs to the form is public, and fits a policy that allows nothing inline.
func TestScriptAndStyleOfTheFormArePublic(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	f := getForm(t, h, newForm)
	for address, want := range map[string]string{f.ScriptURL: "data-show-if", f.StyleURL: ".integration-form {\n"} {
		req := h.Request("GET", strings.TrimPrefix(address, h.URL), nil)
		req.Header.Del("Authorization")
		if a := h.Send(req); a.Status != 200 || !strings.Contains(string(a.Body), want) {
			t.Errorf("%s: status %d, without %q", address, a.Status, want)
		}
	}
	if inline := regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=`).FindString(f.HTML); inline != "" {
		t.Errorf("the form has %q", inline)
	}
}

func TestFormLibrariesGetSchemaAndDocument(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	path := createByForm(t, h)
	var got struct {
		Schema, Document, RJSF object
		JSONForms              object `json:"json_forms"`
		Destinations           []object
		Urgencies              []string
	}
	a := h.Want(200, "GET", path+"/schema", nil)
	a.JSON(t, &got)
	if bytes.Contains(a.Body, []byte(typedSecret)) {
		t.Errorf("a secret is sent: %s", a.Body)
	}
	wantFields(t, got.Document, object{"zeta": "Good morning", "alpha": nil})
	wantFields(t, got.RJSF["alpha"].(object), object{"ui:widget": "password"})
	if got.Schema["properties"] == nil || got.JSONForms["elements"] == nil || len(got.Urgencies) == 0 {
		t.Errorf("the schema's answer: %s", a.Body)
	}
	wantFields(t, got.Destinations[0], object{"kind": "team", "id": "devops", "name": "DevOps", "missing": false, "chosen": true})

	// What the library returns is saved as JSON; the secret, which it never had, stays.
	got.Document["zeta"] = "Good evening"
	id := strings.TrimSuffix(path, "/form")
	h.Want(200, "PUT", id, object{"name": "Hotline", "destinations": []object{{"kind": "team", "id": "devops"}}, "options": got.Document})
	in, err := h.Store.Integration(t.Context(), strings.TrimPrefix(id, "/api/v1/integrations/"))
	if err != nil || !strings.Contains(string(in.Options), typedSecret) || !strings.Contains(string(in.Options), "Good evening") {
		t.Errorf("stored %s, %v", in.Options, err)
	}
	h.Want(200, "GET", newForm+"/schema", nil)
	h.Want(404, "GET", "/api/v1/plugins/none/form/schema", nil)
	h.Want(404, "GET", "/api/v1/plugins/none/form", nil)
}

// soundPlugin is the small plugin with a greeting that may be a file.
type soundPlugin struct{ hosttest.Plugin }

// OptionsSchema implements integration.Integration.
func (soundPlugin) OptionsSchema(context.Context, integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	return integration.OptionsSchema{Format: 1, Schema: []byte(`{"type":"object", "properties": {
		"zeta": {"type":"string","title":"Greeting","x-media":{"accept":["audio/wav"],"maxBytes":2097152,"text":true}}}}`)}, nil
}

type soundPlugins struct{}

func (soundPlugins) Plugin(id string) (integration.Integration, bool) {
	return soundPlugin{}, id == hosttest.PluginID
}
func (soundPlugins) PluginIDs() []string { return []string{hosttest.PluginID} }

func TestAnotherProductUploadsASound(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	h.Plugins = soundPlugins{}
	serveAll(t, h)
	post := func(status int, data []byte) shownForm {
		t.Helper()
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for name, values := range getForm(t, h, newForm).fields(url.Values{"name": {"Hotline"}, "destination": {"team:devops"}, "option.zeta": {""}}) {
			if err := w.WriteField(name, values[0]); err != nil {
				t.Fatal(err)
			}
		}
		part, err := w.CreateFormFile("option.zeta.upload", "greeting.wav")
		if err == nil {
			_, err = part.Write(data)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		req := h.Request("POST", newForm, body.Bytes())
		req.Header.Set("Content-Type", w.FormDataContentType())
		a := h.Send(req)
		if a.Status != status {
			t.Fatalf("status %d, want %d\n%s", a.Status, status, a.Body)
		}
		var f shownForm
		a.JSON(t, &f)
		return f
	}
	post(422, []byte("%PDF-1.7 this is no sound")).has(t, "neither MP3 nor WAV", `id="option-zeta-error"`, `value="Hotline"`)
	saved := post(201, hosttest.WAV(2*time.Second))
	saved.has(t, "Uploaded file", `name="option.zeta.media" value="media:`)

	// Whoever looks at the other product's page has no login here, and hears it all the same.
	_, address, _ := strings.Cut(saved.HTML, `<audio controls preload="none" src="`+h.URL)
	address, _, _ = strings.Cut(address, `"`)
	req := h.Request("GET", address, nil)
	req.Header.Del("Authorization")
	if a := h.Send(req); a.Status != 200 || a.Header.Get("Content-Type") != "audio/wav" {
		t.Errorf("%s: status %d, %s", address, a.Status, a.Header.Get("Content-Type"))
	}
}

func TestAFormIsNoJSON(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	if _, message := errorOf(t, h.Want(415, "POST", newForm, draft())); !strings.Contains(message, "multipart/form-data") {
		t.Errorf("message: %s", message)
	}
}
