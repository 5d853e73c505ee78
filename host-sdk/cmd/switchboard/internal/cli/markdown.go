package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// markdown is the manual page as a document for the repository: a section for each command, with a
// table of its arguments and flags.
type markdown struct {
	common map[string]bool // the flags of serve, which most commands have
	out    strings.Builder
}

// command writes the section of a command: what it does, and a table of its arguments, flags and
// their environment variables.
func (p *markdown) command(n *kong.Node) {
	fmt.Fprintf(&p.out, "## %s\n\n%s\n", strings.TrimPrefix(n.FullPath(), "switchboard "), n.Help)
	if n.Detail != "" {
		fmt.Fprintf(&p.out, "\n%s\n", n.Detail)
	}
	rows := ""
	for _, arg := range n.Positional {
		rows += fmt.Sprintf("| `%s` | | %s |\n", arg.Summary(), cell(arg.Help))
	}
	shared := false
	for _, flag := range flagsOf(n) {
		if p.common[flag.Name] && n.Name != "serve" {
			shared = true
			continue
		}
		env := ""
		if len(flag.Envs) > 0 {
			env = "`" + strings.Join(flag.Envs, "`, `") + "`"
		}
		rows += fmt.Sprintf("| `%s` | %s | %s |\n", strings.ReplaceAll(flag.String(), "|", `\|`), env, cell(flag.Help))
	}
	if rows != "" {
		fmt.Fprintf(&p.out, "\n| argument or flag | environment | meaning |\n|---|---|---|\n%s", rows)
	}
	if shared {
		p.out.WriteString("\nIt also has the flags of [serve](#serve), which say where the running host and its data are.\n")
	}
	p.out.WriteString("\n")
}

// cell is a text in a table of Markdown: one line, in which no bar ends the cell, and angle
// brackets are no tags.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(strings.Join(strings.Fields(text), " "))
}
