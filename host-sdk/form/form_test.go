package form_test

import (
	"bytes"
	_ "embed"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/form"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file below testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// sample is an invented form that has every feature of a schema that this package knows.
//
//go:embed testdata/sample.schema.json
var sample []byte

func TestHTMLGolden(t *testing.T) {
	t.Parallel()
	f, err := form.Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	html, err := f.HTML(form.View{})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "empty.html", []byte(html))
	html, err = f.HTML(form.View{
		Values:   []byte(`{"name":"<b>\"Hot\"</b>","key":{"set":true},"extra":{"set":true},"greet":"media:abc","on":true,"secs":"a lot","kind":"x","list":["p","q"]}`),
		Problems: []form.Problem{{Path: "secs", Message: "Seconds must be a whole number from 5 to 300"}, {Path: "list/1", Message: `"q" is no number`}, {Path: "elsewhere", Message: "x"}},
		Warnings: []form.Problem{{Path: "on", Message: "nobody is told"}},
		MediaURL: func(ref string) string { return "/media/" + strings.TrimPrefix(ref, "media:") },
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "filled.html", []byte(html))
}

// Only a secret with a value may be kept or removed: a mark that says there is none offers neither.
func TestThePageSaysWhetherASecretHasAValue(t *testing.T) {
	t.Parallel()
	f, err := form.Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	for value, set := range map[string]bool{`{"set":true}`: true, `"canary-secret"`: true, `{"set":false}`: false, `""`: false, `null`: false} {
		html, err := f.HTML(form.View{Values: []byte(`{"extra":` + value + `}`)})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(html), `name="option.extra.remove"`); got != set {
			t.Errorf("the secret %s can be removed: %v, want %v", value, got, set)
		}
		if strings.Contains(string(html), "canary") {
			t.Errorf("the page shows the secret %s", value)
		}
	}
}

func TestUISchemasGolden(t *testing.T) {
	t.Parallel()
	for name, derive := range map[string]func([]byte) ([]byte, error){"sample.rjsf.json": form.RJSF, "sample.jsonforms.json": form.JSONForms} {
		ui, err := derive(sample)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, append(ui, '\n'))
	}
}

func TestSecretValuesNeverReachTheForm(t *testing.T) {
	t.Parallel()
	f, err := form.Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	// Even a host that forgets to hide them shows none.
	html, err := f.HTML(form.View{Values: []byte(`{"key":"canary-secret","extra":"canary-secret"}`)})
	if err != nil || strings.Contains(string(html), "canary") {
		t.Errorf("the form holds a secret (%v)", err)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	f, err := form.Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, values, old, want string }{
		{"everything", "option.name=+Hot+&option.key=s3&option.greet=Hello%0D%0Ayou&option.on.present=1&option.on=true&option.secs=30&option.kind=x&option.list=a%0D%0A%0D%0A+b+", `{}`,
			`{"greet":"Hello\nyou","key":"s3","kind":"x","list":["a","b"],"name":"Hot","on":true,"secs":30}`},
		{"unchecked box, secret left empty, number cleared", "option.name=x&option.key=&option.on.present=1&option.secs=&option.list=", `{"on":true,"secs":7,"key":{"set":true}}`, `{"list":[],"name":"x","on":false}`},
		{"what is no number stays as typed", "option.secs=many&option.name=", `{}`, `{"name":"","secs":"many"}`},
		{"secret removed", "option.extra=&option.extra.remove=1", `{"extra":{"set":true}}`, `{"extra":null}`},
		{"removed and replaced means replaced", "option.extra=new&option.extra.remove=1", `{}`, `{"extra":"new"}`},
		{"an uploaded file stays", "option.greet=&option.greet.media=media:abc", `{"greet":"media:abc"}`, `{"greet":"media:abc"}`},
		{"an uploaded file removed", "option.greet=&option.greet.media=media:abc&option.greet.remove=1", `{"greet":"media:abc"}`, `{"greet":""}`},
		{"an uploaded file replaced by text", "option.greet=Hi&option.greet.media=media:abc&option.greet.remove=1", `{"greet":"media:abc"}`, `{"greet":"Hi"}`},
		{"what is no reference is not taken for one", "option.greet=&option.greet.media=https://example.com/x.mp3", `{}`, `{"greet":""}`},
		{"fields that the form did not have, or does not know, are kept", "option.name=y", `{"kind":"x","future":{"a":1},"list":["z"]}`, `{"future":{"a":1},"kind":"x","list":["z"],"name":"y"}`},
	} {
		values, err := url.ParseQuery(tc.values)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Decode(values, []byte(tc.old), nil)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %s, %v; want %s", tc.name, got, err, tc.want)
		}
	}
	got, err := f.Decode(url.Values{"option.greet": {"old text"}}, nil, map[string]string{"greet": "media:1"})
	if err != nil || string(got) != `{"greet":"media:1"}` {
		t.Errorf("upload: %s, %v", got, err)
	}
	if !cmp.Equal(f.Uploadable(), []string{"greet", "music"}) {
		t.Errorf("uploadable %v", f.Uploadable())
	}
	if _, err := f.Decode(nil, []byte("[]"), nil); err == nil {
		t.Error("a stored document that is no object is accepted")
	}
}

// TestWhatIsNoNumberInJSONStaysAsTyped holds for the spellings that Go reads as numbers.
func TestWhatIsNoNumberInJSONStaysAsTyped(t *testing.T) {
	t.Parallel()
	f, err := form.Parse([]byte(`{"properties":{"n":{"type":"number"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]string{"NaN": `{"n":"NaN"}`, "-Inf": `{"n":"-Inf"}`, "1e999": `{"n":"1e999"}`, "1.5": `{"n":1.5}`, "1e2": `{"n":100}`} {
		if got, err := f.Decode(url.Values{"option.n": {typed}}, nil, nil); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", typed, got, err, want)
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	f, err := form.Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	secs, _ := f.Field("secs")
	holds := func(doc string) bool { return secs.ShowIf.HoldsIn(f, []byte(doc)) }
	if holds(`{}`) || !holds(`{"on":true}`) || holds(`{"on":false}`) || holds(`{"on":"true"}`) {
		t.Error("x-show-if is judged wrongly")
	}
}

func TestSchemasThatCannotBeShownAreRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "option.[]", `{"properties":[]}`, `{"properties":{"a":{"type":"object"}}}`, `{"properties":{"a":{"type":"array","items":{"type":"object"}}}}`} {
		if _, err := form.Parse([]byte(bad)); err == nil {
			t.Errorf("Parse(%q) is accepted", bad)
		}
		if _, err := form.RJSF([]byte(bad)); err == nil {
			t.Errorf("RJSF(%q) is accepted", bad)
		}
	}
}

// FuzzMergeSecrets holds that a secret is never shown and never lost by accident, whatever a form
// sends.
func FuzzMergeSecrets(f *testing.F) {
	f.Add(`{"key":"","name":"x"}`, `{"key":"canary-secret"}`)
	f.Add(`{"key":{"set":true},"n":1e999999999}`, `{"key":"canary-secret","extra":null}`)
	f.Add(`{"key":null,"key":"b"}`, `{"extra":"canary-secret"}`)
	f.Add(strings.Repeat("[", 20_000), `{"key":["canary-secret"]}`)
	secrets, err := form.SecretFields(sample)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, sent, old string) {
		merged, err := form.MergeSecrets([]byte(sent), []byte(old), secrets)
		if err != nil {
			return
		}
		hidden, err := form.HideSecrets(merged, secrets)
		if err != nil {
			t.Fatal(err)
		}
		again, err := form.MergeSecrets(hidden, merged, secrets)
		if err != nil || string(again) != string(merged) {
			t.Fatalf("shown and sent back, %s becomes %s, %v", merged, again, err)
		}
		if _, _, err := form.Prepare(sample, merged); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add("option.name=x&option.secs=1", `{"a":1}`)
	parsed, err := form.Parse(sample)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query, old string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		doc, err := parsed.Decode(values, []byte(old), nil)
		if err != nil {
			return
		}
		if _, err := parsed.HTML(form.View{Values: doc}); err != nil || !bytes.HasPrefix(doc, []byte("{")) {
			t.Errorf("document %s cannot be shown again: %v", doc, err)
		}
	})
}
