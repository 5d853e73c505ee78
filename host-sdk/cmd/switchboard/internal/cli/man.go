package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
)

// manCommand is man.
type manCommand struct {
	Markdown bool   `xor:"form" help:"Print it as Markdown."`
	Dir      string `placeholder:"DIR" type:"existingdir" xor:"form" help:"Write it into this folder, with a page for each command as well, such as switchboard-alert-list.1."`
}

// Help is shown by man --help.
func (manCommand) Help() string {
	return "Prints the manual page, made of the same descriptions as the helps: switchboard man > /usr/local/share/man/man1/switchboard.1. All pages: switchboard man --dir /usr/local/share/man/man1"
}

// Run prints the page in the macros of man(7). It has no date, so that the same program always
// prints the same.
func (c manCommand) Run(s *command.Surroundings) error {
	all, err := s.Model()
	if err != nil {
		return err
	}
	// Most commands have all flags of serve: they are described once, there.
	common := map[string]bool{}
	for _, child := range all.Children {
		if child.Name != "serve" {
			continue
		}
		for _, flag := range flagsOf(child) {
			common[flag.Name] = true
		}
	}
	if c.Markdown {
		p := markdown{common: common}
		for _, one := range all.Leaves(true) {
			p.command(one)
		}
		_, err := io.WriteString(s.Stdout, strings.TrimSuffix(p.out.String(), "\n"))
		return err
	}
	pages := map[string]string{"switchboard": wholePage(all, common)}
	if c.Dir == "" {
		_, err := io.WriteString(s.Stdout, pages["switchboard"])
		return err
	}
	for _, leaf := range all.Leaves(true) {
		pages[strings.ReplaceAll(leaf.FullPath(), " ", "-")] = commandPage(leaf, common)
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(c.Dir, name+".1"), []byte(text), 0o644); err != nil { // #nosec G306 -- everybody may read a manual
			return fmt.Errorf("--dir: %w", err)
		}
	}
	_, err = fmt.Fprintf(s.Stdout, "%d pages are in %s.\n", len(pages), c.Dir)
	return err
}

// wholePage is the page of all commands.
func wholePage(all *kong.Application, common map[string]bool) string {
	p := manual{common: common}
	p.line(".TH SWITCHBOARD 1")
	p.line(".SH NAME")
	p.text("switchboard - " + firstSentence(all.Help))
	p.line(".SH SYNOPSIS")
	p.line(".B switchboard")
	p.text("COMMAND [FLAGS]")
	p.line(".SH DESCRIPTION")
	p.paragraphs(all.Help)
	p.line(".SH COMMANDS")
	for _, one := range all.Leaves(true) {
		p.line(".SS " + roff(strings.TrimPrefix(one.FullPath(), "switchboard ")))
		p.command(one)
	}
	return p.out.String()
}

// commandPage is the page of one command.
func commandPage(n *kong.Node, common map[string]bool) string {
	p := manual{common: common}
	name := strings.ReplaceAll(n.FullPath(), " ", "-")
	p.line(".TH " + roff(strings.ToUpper(name)) + " 1")
	p.line(".SH NAME")
	p.text(name + " - " + firstSentence(n.Help))
	p.line(".SH SYNOPSIS")
	p.line(".B " + roff(n.FullPath()))
	for _, arg := range n.Positional {
		p.text(arg.Summary())
	}
	p.text("[FLAGS]")
	p.line(".SH DESCRIPTION")
	p.command(n)
	p.line(".SH SEE ALSO")
	p.line(".BR switchboard (1)")
	return p.out.String()
}

// manual is a page that is being written. Texts go through text, which escapes them; line is for
// macros alone.
type manual struct {
	common map[string]bool // the flags of serve, which most commands have
	out    strings.Builder
}

// command writes what a command does, with its arguments and flags.
func (p *manual) command(n *kong.Node) {
	p.paragraphs(n.Help)
	p.paragraphs(n.Detail)
	for _, arg := range n.Positional {
		p.item(arg.Summary(), arg.Help)
	}
	shared := false
	for _, flag := range flagsOf(n) {
		if p.common[flag.Name] && n.Name != "serve" {
			shared = true
			continue
		}
		p.item(flag.String(), flag.Help)
	}
	if shared {
		p.line(".PP")
		p.text("It also has the flags of serve, which say where the running host and its data are.")
	}
}

// flagsOf are the flags of a command, but for hidden ones and --help. The reference and all pages
// show the same ones.
func flagsOf(n *kong.Node) (list []*kong.Flag) {
	for _, flag := range n.Flags {
		if !flag.Hidden && flag.Name != "help" {
			list = append(list, flag)
		}
	}
	return list
}

// item writes an argument or a flag with its description.
func (p *manual) item(name, help string) {
	p.line(".TP")
	p.line(".B " + roff(name))
	p.text(help)
}

// paragraphs writes a text whose paragraphs are separated by empty lines.
func (p *manual) paragraphs(text string) {
	for i, part := range strings.Split(text, "\n\n") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		if i > 0 {
			p.line(".PP")
		}
		p.text(part)
	}
}

// text writes a line of text; one that begins like a macro is none.
func (p *manual) text(text string) {
	text = roff(strings.Join(strings.Fields(text), " "))
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	p.line(text)
}

// line writes a line as it is.
func (p *manual) line(text string) { p.out.WriteString(text + "\n") }

// roff is a text with what troff takes for its own written out.
func roff(text string) string { return strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text) }

// firstSentence is the beginning of a text, without its period.
func firstSentence(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return strings.TrimSuffix(first, ".")
}
