package yamltree

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValuesKnowTheirPlace(t *testing.T) {
	t.Parallel()
	root, problems := Parse([]byte(`base: &base
  a/b: {x: 1.50}
list: [one, {two: 0x10}, !!str 5]
copy:
  <<: [*base, {z: null}]
  own: |
    text
`), 100)
	if root == nil || len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, tt := range []struct {
		pointer      string
		line, column int
		show         string
	}{
		{"/base/a~1b/x", 2, 12, "1.5"},
		{"/list/1/two", 3, 19, "16"},
		{"/list/2", 3, 26, `"5"`},
		{"/copy/a~1b", 2, 8, "a mapping"}, // where it is written, which is where it is mended
		{"/copy/z", 5, 19, "nothing"},
		{"/copy/own", 6, 8, `"text\n"`},
	} {
		n := root.Find(tt.pointer)
		if n == nil {
			t.Errorf("%s is not found", tt.pointer)
			continue
		}
		if n.Line != tt.line || n.Column != tt.column || n.Pointer != tt.pointer || n.Show() != tt.show {
			t.Errorf("%s: %d:%d %s %s", tt.pointer, n.Line, n.Column, n.Pointer, n.Show())
		}
	}
	if n := root.Find("/base/a~1b/x"); n.Raw != "1.50" {
		t.Errorf("raw number is %q", n.Raw)
	}
	if root.Find("/list/9") != nil || root.Nearest("/list/9/x") != root.Find("/list") {
		t.Error("what is not there is found, or not what is around it")
	}
	if key := root.Find("/base").KeyAt("a/b"); key.Line != 2 || key.Column != 3 {
		t.Errorf("key stands at %d:%d", key.Line, key.Column)
	}
	want := `{"base":{"a/b":{"x":1.5}},"copy":{"a/b":{"x":1.5},"own":"text\n","z":null},"list":["one",{"two":16},"5"]}`
	if diff := cmp.Diff(want, string(root.JSON())); diff != "" {
		t.Error(diff)
	}
	if values, depth := root.Find("/list").Measure(); values != 5 || depth != 3 {
		t.Errorf("list has %d values, %d deep", values, depth)
	}
}

func TestJSONIsYAML(t *testing.T) {
	t.Parallel()
	root, problems := Parse([]byte(`{"a\/b":"\ud83d\ude00\t\"", "n":[1000,-0.5,true,null]}`), 100)
	if root == nil || len(problems) > 0 {
		t.Fatal(problems)
	}
	if diff := cmp.Diff(map[string]any{"a/b": "😀\t\"", "n": []any{1000.0, -0.5, true, nil}}, root.Plain()); diff != "" {
		t.Error(diff)
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
	for _, tt := range []struct {
		name, text, want string
		line             int
	}{
		{"syntax", "a: \"b\nc", "is not YAML: ", 1},
		{"second document", "a: 1\n---\nb: 2\n", "a second document begins here", 3},
		{"key twice", "a: 1\na: 2\n", `"a" is given twice`, 2},
		{"key a list", "? [a]\n: b\n", "a key must be text", 1},
		{"alias unknown", "a: *b\n", "*b is not defined above (as &b)", 1},
		{"alias inside itself", "a: &b [*b]\n", "*b stands inside &b itself", 1},
		{"tag", "a: !!binary aGk=\n", "tags such as !!binary are not used here", 1},
		{"infinity", "a: -.inf\n", "is not a finite number", 1},
		{"merge of a list", "a: {<<: 5}\n", "<< takes a mapping", 1},
		{"small text, many values", bomb, "more than 1000 values", 0},
		{"deep", strings.Repeat("[", 200) + strings.Repeat("]", 200), "is nested more than 100 deep", 1},
		{"brackets without end", strings.Repeat("[", 100_000), "is nested more than 100 deep", 1},
		{"lists without end", strings.Repeat("- ", 100_000), "is nested more than 100 deep", 1},
		{"keys that are mappings", strings.Repeat("? ", 100_000), "is nested more than 100 deep", 1},
		{"mappings by indentation", indented(200), "is nested more than 100 deep", 101},
	} {
		_, problems := Parse([]byte(tt.text), 1000)
		if len(problems) != 1 || !strings.Contains(problems[0].Message, tt.want) || problems[0].Line != tt.line {
			t.Errorf("%s: %+v, want %q in line %d", tt.name, problems, tt.want, tt.line)
		}
	}
	if root, problems := Parse([]byte("# nothing\n"), 10); root != nil || len(problems) > 0 {
		t.Errorf("an empty document: %v %v", root, problems)
	}
}

// indented is a document of mappings inside one another.
func indented(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// TestOnlyTheFirstProblemsAreReported holds that a text full of mistakes has a short answer.
func TestOnlyTheFirstProblemsAreReported(t *testing.T) {
	t.Parallel()
	_, problems := Parse([]byte(strings.Repeat("a: 1\n", 50_000)), 200_000)
	if len(problems) != maxProblems+1 {
		t.Fatalf("%d problems are reported", len(problems))
	}
	if first, last := problems[0], problems[maxProblems]; first.Line != 2 || last.Message != "… and 49979 more of this kind" {
		t.Errorf("first %+v, last %+v", first, last)
	}
}

// TestAnyTextIsReadInLinearTime reads large texts in whose shapes the nesting, or the number of
// what is open, grows with the length. A reader that is quadratic needs minutes or hours for them.
func TestAnyTextIsReadInLinearTime(t *testing.T) {
	t.Parallel()
	keys, flow := &strings.Builder{}, &strings.Builder{}
	for i := range 100_000 {
		fmt.Fprintf(keys, "k%d: 1\n", i)
		fmt.Fprintf(flow, "k%d: 1, ", i)
	}
	texts := []string{keys.String(), "{" + flow.String() + "}", "a: &a 1\nb: [" + strings.Repeat("*a,", 100_000) + "]",
		"[" + strings.Repeat("[],", 100_000) + "]", "a: \"" + strings.Repeat("x\n", 100_000) + "\"", "a: |\n" + strings.Repeat("  x\n", 500_000), indented(1000)}
	for _, piece := range []string{"[", "{", "]", "}", "- ", "? ", ": ", "a: ", "a:\n", "&a ", "*a ", "!a ", "!!str ", "---\n", "a\n---\n", "\"", "'", "|", ">\n", "#", "# x\n", "\n", " ", "\t",
		"- a\n", "- |\n", "-\n", "a,", ",", "%YAML 1.2\n", "<<: ", "@", "`", "*", "&", "\x00", "\xff", "a: 1\r\n", "\\u", "x", "{a: "} {
		texts = append(texts, strings.Repeat(piece, 300_000/len(piece)), "a: ["+strings.Repeat(piece, 300_000/len(piece))+"]")
	}
	for _, text := range texts {
		root, problems := Parse([]byte(text), 200_000)
		if root == nil && len(problems) == 0 && strings.Trim(text, "# x\n\t-") != "" {
			t.Errorf("%.20q…: no value and no problem", text)
		}
		for _, p := range problems {
			if len(p.Message) > 500 {
				t.Errorf("%.20q…: a message of %d bytes", text, len(p.Message))
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a: &x [1, {b: c}]\nb: *x\n<<: {c: !!str 1}\n")
	f.Fuzz(func(t *testing.T, text string) {
		root, _ := Parse([]byte(text), 1000)
		if root == nil {
			return
		}
		if values, depth := root.Measure(); values > 3000 || depth > maxDepth+3 {
			t.Fatalf("%d values, %d deep", values, depth)
		}
		_ = root.JSON()
	})
}
