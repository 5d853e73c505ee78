package renderers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/integration-tests/browser"
)

// library is where a form library puts things in its page.
type library struct {
	name  string
	hides bool // fields whose condition is false

	field   func(key string) string        // what holds a field
	control func(key string) string        // its input
	add     func(key string) string        // a list's button for one entry more
	entry   func(key string, i int) string // the input of a list's entry
	// The nearest element around a field that has its title and help, "" for the field itself.
	row string
}

var libraries = []library{
	{
		name:    "rjsf",
		field:   func(key string) string { return "#root_" + key },
		control: func(key string) string { return "#root_" + key },
		add:     func(key string) string { return "#root_" + key + "__add" },
		entry:   func(key string, i int) string { return fmt.Sprintf("#root_%s_%d", key, i) },
		row:     ".rjsf-field:has(> .field-description, > .checkbox, > fieldset)",
	},
	{
		name:    "jsonforms",
		hides:   true,
		field:   func(key string) string { return ".root_properties_" + key },
		control: func(key string) string { return fmt.Sprintf(`[id="#/properties/%s-input"]`, key) },
		add:     func(key string) string { return ".root_properties_" + key + " header button" },
		entry: func(key string, i int) string {
			return fmt.Sprintf(".root_properties_%s tbody tr:nth-child(%d) input", key, i+1)
		},
		row: ".group-layout-item",
	},
	{
		name:    "jsoneditor",
		field:   func(key string) string { return fmt.Sprintf(`[data-schemapath="root.%s"]`, key) },
		control: func(key string) string { return fmt.Sprintf(`[name="root[%s]"]`, key) },
		add: func(key string) string {
			return fmt.Sprintf(`[data-schemapath="root.%s"] .json-editor-btntype-add`, key)
		},
		entry: func(key string, i int) string { return fmt.Sprintf(`[name="root[%s][%d]"]`, key, i) },
	},
}

// drawn is a page with the form.
type drawn struct {
	*browser.Page
	t    *testing.T
	lib  library
	form *form.Form // what should be there
}

// draw opens the library's page for a stored document, as a host that follows package form would
// serve it.
func draw(t *testing.T, p *browser.Page, lib library, bundles string, schema, stored []byte) drawn {
	t.Helper()
	prepared, document, err := form.Prepare(schema, stored)
	if err != nil {
		t.Fatal(err)
	}
	f, err := form.Parse(prepared)
	if err != nil {
		t.Fatal(err)
	}
	rjsf, err := form.RJSF(prepared)
	if err != nil {
		t.Fatal(err)
	}
	jsonForms, err := form.JSONForms(prepared)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, content := range map[string][]byte{
		"schema.json": prepared, "stored.json": document, "rjsf.json": rjsf, "jsonforms.json": jsonForms,
	} {
		mux.HandleFunc("GET /"+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(content)
		})
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><meta charset="utf-8"><title>Options</title><main id="form"></main><script src=%q></script></html>`, lib.name+".js")
	})
	mux.Handle("GET /", http.FileServer(http.Dir(bundles)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.Go(server.URL)
	p.WaitFor("#save")
	p.Wait("window.shown")
	return drawn{p, t, lib, f}
}

// order gives the keys of the fields that can be seen, from top to bottom of the page.
func (d drawn) order() []string {
	d.t.Helper()
	selectors := map[string]string{}
	for _, g := range d.form.Groups {
		for _, f := range g.Fields {
			selectors[f.Key] = d.lib.field(f.Key)
		}
	}
	b, err := json.Marshal(selectors)
	if err != nil {
		d.t.Fatal(err)
	}
	var keys []string
	d.Eval(fmt.Sprintf(`Object.entries(%s).map(([key, selector]) => ({key, at: document.querySelector(selector)}))
		.filter(f => f.at && f.at.checkVisibility() && f.at.getBoundingClientRect().height > 0)
		.sort((a, b) => a.at.getBoundingClientRect().top - b.at.getBoundingClientRect().top)
		.map(f => f.key)`, b), &keys)
	return keys
}

// words is all that a field shows: title, help.
func (d drawn) words(key string) string {
	d.t.Helper()
	var text string
	d.Eval(fmt.Sprintf(`(() => {
		const field = document.querySelector(%q), row = %q;
		return (row && field.closest(row) || field).innerText;
	})()`, d.lib.field(key), d.lib.row), &text)
	return text
}

// fill does with a field's controls what a person would do to give it the value.
func (d drawn) fill(key string, value any) {
	d.t.Helper()
	selector := d.lib.control(key)
	switch v := value.(type) {
	case []string:
		for i, entry := range v {
			var there bool
			at := d.lib.entry(key, i)
			if d.Eval(fmt.Sprintf("!!document.querySelector(%q)", at), &there); !there {
				d.Click(d.lib.add(key))
				d.WaitFor(at)
			}
			d.Type(at, entry)
			d.Press("\t")
		}
	case bool:
		var box struct {
			Tag     string
			Checked bool
		}
		d.WaitFor(selector)
		d.Eval(fmt.Sprintf("(e => ({Tag: e.tagName, Checked: e.checked}))(document.querySelector(%q))", selector), &box)
		switch {
		case box.Tag == "SELECT":
			d.Select(selector, fmt.Sprint(v))
		case box.Checked != v:
			d.Click(selector)
		}
	case int:
		d.Type(selector, fmt.Sprint(v))
		d.Press("\t")
	case string:
		field, _ := d.form.Field(key)
		if len(field.Choices) == 0 {
			if len(v) > 16 { // nobody types a SID
				d.Paste(selector, v)
			} else {
				d.Type(selector, v)
			}
			d.Press("\t")
			break
		}
		d.WaitFor(selector)
		title := field.Choices[slices.IndexFunc(field.Choices, func(c form.Choice) bool { return c.Value == v })].Title
		var titled bool
		if d.Eval(fmt.Sprintf("[...document.querySelector(%q).options].some(o => o.text === %q)", selector, title), &titled); titled {
			d.Select(selector, title)
		} else {
			d.Select(selector, v)
		}
	default:
		d.t.Fatalf("%s: a form has no value like %v", key, value)
	}
	if value != "" { // which some libraries give as no value at all
		d.expect(key, value)
	}
}

// expect waits until the library's document has the value.
func (d drawn) expect(key string, value any) {
	d.t.Helper()
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // as JSON.stringify writes it
	if err := e.Encode(value); err != nil {
		d.t.Fatal(err)
	}
	d.Wait(fmt.Sprintf("JSON.stringify(window.shown[%q]) === %q", key, strings.TrimSpace(text.String())))
}

// save presses the button and gives the document that the library hands to the platform.
func (d drawn) save() []byte {
	d.t.Helper()
	var saved struct {
		Submitted json.RawMessage
		Refused   []string
	}
	d.Eval("window.submitted = window.refused = null", nil)
	d.Click("#save")
	d.Wait("window.submitted || window.refused")
	if d.Eval("({Submitted: window.submitted, Refused: window.refused || []})", &saved); len(saved.Refused) > 0 {
		d.t.Fatalf("%s refuses: %q", d.lib.name, saved.Refused)
	}
	return saved.Submitted
}

// refuses presses the button and expects that the library finds fault with the field.
func (d drawn) refuses(key string) {
	d.t.Helper()
	d.Eval("window.submitted = window.refused = null", nil)
	d.Click("#save")
	// An input with an HTML attribute for it is refused by the browser before the library hears of
	// it.
	d.Wait(fmt.Sprintf(`window.submitted || window.refused && window.refused.some(r => r.includes(%q)) || document.querySelector(%q).matches(":invalid")`, key, d.lib.control(key)))
	var submitted bool
	if d.Eval("!!window.submitted", &submitted); submitted {
		d.t.Errorf("%s hands over a document whose %s is wrong", d.lib.name, key)
	}
}

// keep leaves a picture of the page in the folder that LIVECALL_SCREENSHOTS names.
func (d drawn) keep(name string) {
	d.t.Helper()
	dir := os.Getenv("LIVECALL_SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, d.lib.name+"-"+name+".png"), d.Screenshot(), 0o600); err != nil {
		d.t.Fatal(err)
	}
}
