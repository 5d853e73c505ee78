package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
)

// completionCommand is completion.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is shown by completion --help.
func (completionCommand) Help() string {
	return "For bash: source <(switchboard completion bash). For zsh the same with zsh. For fish: switchboard completion fish | source."
}

// Run prints a script in which every word is known beforehand: it never runs the program. A shell
// would else wait for it with each Tab.
func (c completionCommand) Run(s *command.Surroundings) error {
	all, err := s.Model()
	if err != nil {
		return err
	}
	known := completions{words: map[string][]string{}, leaf: map[string]bool{}, alone: map[string]bool{}, valued: map[string]bool{}}
	known.collect(all.Node, "")
	for flag := range known.alone {
		// Of a flag that has a value in some commands alone, the value counts as an argument there.
		delete(known.valued, "--"+flag[strings.LastIndex(flag, " ")+1:])
	}
	script := known.bash()
	switch c.Shell {
	case "fish":
		script = known.fish()
	case "zsh":
		// zsh runs the script of bash by its bashcompinit.
		script = "autoload -U +X bashcompinit && bashcompinit\n" + script
	}
	_, err = fmt.Fprint(s.Stdout, script)
	return err
}

// completions is what a shell is told.
type completions struct {
	words map[string][]string // command path → what may follow
	leaf  map[string]bool     // paths of commands that have arguments in place of commands
	// Flags without a value, each after its command, such as "alert list json".
	alone  map[string]bool
	valued map[string]bool // flags that a value follows, with their dashes
}

// collect notes what may follow, for each path of commands.
func (k *completions) collect(n *kong.Node, path string) {
	k.leaf[path] = len(n.Children) == 0
	for _, flags := range n.AllFlags(true) {
		for _, f := range flags {
			k.words[path] = append(k.words[path], "--"+f.Name)
			if f.IsBool() {
				k.alone[path+" "+f.Name] = true
				continue
			}
			k.valued["--"+f.Name] = true
			if f.Short != 0 {
				k.valued["-"+string(f.Short)] = true
			}
		}
	}
	for _, child := range n.Children {
		// Hidden ones are started by the program itself.
		if child.Hidden {
			continue
		}
		k.words[path] = append(k.words[path], child.Name)
		k.collect(child, strings.TrimSpace(path+" "+child.Name))
	}
	if path == "completion" {
		k.words[path] = append(k.words[path], "bash", "zsh", "fish")
	}
}

// bash is the script for bash. The words before the cursor, without flags and their values, are
// the command, which arguments may follow. A value is left to the shell, which knows files.
func (k *completions) bash() string {
	var b strings.Builder
	fmt.Fprintf(&b, `_switchboard() {
    local words=() w value=
    COMPREPLY=()
    for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [ "$w" = = ]; then value=1; continue; fi
        if [ -n "$value" ]; then value=; continue; fi
        case $w in %s) value=1 ;; -*) ;; *) words+=("$w") ;; esac
    done
    [ -z "$value" ] || return
    [ "${COMP_WORDS[COMP_CWORD]}" != = ] || return
    case "${words[*]}" in
`, strings.Join(slices.Sorted(maps.Keys(k.valued)), "|"))
	for _, p := range slices.Sorted(maps.Keys(k.words)) {
		pattern := fmt.Sprintf("%q", p)
		if k.leaf[p] {
			pattern += fmt.Sprintf("|%q*", p+" ")
		}
		fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -W %q -- \"${COMP_WORDS[COMP_CWORD]}\")) ;;\n", pattern, strings.Join(k.words[p], " "))
	}
	b.WriteString("    esac\n}\ncomplete -o default -F _switchboard switchboard\n")
	return b.String()
}

// fish is the script for fish, which asks each line whether it applies: __switchboard_at compares
// the command before the cursor with that of the line.
func (k *completions) fish() string {
	var b strings.Builder
	for _, p := range slices.Sorted(maps.Keys(k.words)) {
		at := fmt.Sprintf("__switchboard_at %q", p)
		if k.leaf[p] {
			at += " leaf"
		}
		for _, word := range k.words[p] {
			fmt.Fprintf(&b, "complete -c switchboard -n '%s'", at)
			if flag, ok := strings.CutPrefix(word, "--"); ok {
				fmt.Fprintf(&b, " -l %s", flag)
				if !k.alone[p+" "+flag] {
					b.WriteString(" -r")
				}
				b.WriteByte('\n')
			} else {
				fmt.Fprintf(&b, " -f -a %s\n", word)
			}
		}
	}
	fmt.Fprintf(&b, `function __switchboard_at
    set -l words
    set -l value 0
    for w in (commandline -opc)[2..]
        if test $value = 1
            set value 0
        else if contains -- $w %s
            set value 1
        else if not string match -q -- '-*' $w
            set -a words $w
        end
    end
    test "$words" = "$argv[1]"; or begin
        test (count $argv) = 2; and string match -q -- "$argv[1] *" "$words"
    end
end
`, strings.Join(slices.Sorted(maps.Keys(k.valued)), " "))
	return b.String()
}
