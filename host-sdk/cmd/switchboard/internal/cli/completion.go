package cli

import (
	"fmt"
	"sort"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCommand is completion.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is shown by completion --help.
func (completionCommand) Help() string {
	return "For bash: source <(switchboard completion bash). For zsh the same with zsh. For fish: switchboard completion fish | source."
}

// Run prints a script in which every word is known beforehand: it never runs the program.
func (c completionCommand) Run(s *surroundings) error {
	words := map[string][]string{} // command path → what may follow
	alone := map[string]bool{}     // flags without a value
	collect(s.model.Node, "", words, alone)
	paths := make([]string, 0, len(words))
	for p := range words {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	var b strings.Builder
	switch c.Shell {
	case "fish":
		// fish asks each line whether it applies: __switchboard_at compares the words before the
		// cursor, flags left out, with the command that the line belongs to.
		for _, p := range paths {
			for _, word := range words[p] {
				fmt.Fprintf(&b, "complete -c switchboard -n '__switchboard_at %q'", p)
				if flag, ok := strings.CutPrefix(word, "--"); ok {
					fmt.Fprintf(&b, " -l %s", flag)
					if !alone[p+" "+flag] {
						b.WriteString(" -r")
					}
					b.WriteByte('\n')
				} else {
					fmt.Fprintf(&b, " -f -a %s\n", word)
				}
			}
		}
		b.WriteString("function __switchboard_at\n    set -l words (commandline -opc | string match -v -- '-*')\n    test \"$words[2..]\" = \"$argv[1]\"\nend\n")
	default:
		// zsh runs the script of bash by its bashcompinit.
		if c.Shell == "zsh" {
			b.WriteString("autoload -U +X bashcompinit && bashcompinit\n")
		}
		b.WriteString("_switchboard() {\n    local words=() w\n    for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do case $w in -*) ;; *) words+=(\"$w\") ;; esac; done\n    case \"${words[*]}\" in\n")
		for _, p := range paths {
			fmt.Fprintf(&b, "    %q) COMPREPLY=($(compgen -W %q -- \"${COMP_WORDS[COMP_CWORD]}\")) ;;\n", p, strings.Join(words[p], " "))
		}
		b.WriteString("    *) COMPREPLY=() ;;\n    esac\n}\ncomplete -o default -F _switchboard switchboard\n")
	}
	_, err := fmt.Fprint(s.stdout, b.String())
	return err
}

// collect notes, for each path of commands, the commands and flags that may follow, and which flags
// stand alone, such as "alert list json".
func collect(n *kong.Node, path string, words map[string][]string, alone map[string]bool) {
	for _, flags := range n.AllFlags(true) {
		for _, f := range flags {
			words[path] = append(words[path], "--"+f.Name)
			if f.IsBool() {
				alone[path+" "+f.Name] = true
			}
		}
	}
	for _, child := range n.Children {
		if child.Hidden {
			continue
		}
		words[path] = append(words[path], child.Name)
		collect(child, strings.TrimSpace(path+" "+child.Name), words, alone)
	}
	if path == "completion" {
		words[path] = append(words[path], "bash", "zsh", "fish")
	}
}
