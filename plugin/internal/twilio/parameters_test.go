package twilio

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestThePageOfParametersSaysWhatIsRead holds the rows marked "used" of the documentation against
// the names that this package reads.
func TestThePageOfParametersSaysWhatIsRead(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/twilio-parameters.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`^\| (.+?) \| (used|not used) \| .+ \|$`)
	listed, used := map[string]bool{}, map[string]bool{}
	for _, line := range strings.Split(string(page), "\n") {
		m := row.FindStringSubmatch(line)
		if m == nil {
			if strings.HasPrefix(line, "| `") {
				t.Errorf("a row says neither used nor not used: %s", line)
			}
			continue
		}
		for _, name := range strings.Fields(strings.ReplaceAll(m[1], "`", "")) {
			if listed[name] {
				t.Errorf("%s is listed twice", name)
			}
			listed[name] = true
			if m[2] == "used" {
				used[name] = true
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(namesRead(t))), slices.Sorted(maps.Keys(used))); diff != "" {
		t.Errorf("docs/twilio-parameters.md (-read by webhook.go +marked used):\n%s", diff)
	}
}

// namesRead are the form fields that ParseWebhook reads.
func namesRead(t *testing.T) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "webhook.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "ParseWebhook" {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				name, _ := strconv.Unquote(lit.Value)
				names[name] = true
			}
			return true
		})
	}
	return names
}
