package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// An exclusion is a mutant that behaves like the original.
type exclusion struct{ file, kind, text, reason string }

// readExclusions reads lines of "file ¦ negated or removed ¦ text ¦ reason". Empty lines and lines
// that start with # are skipped. The text instead of a line number identifies the mutant, so that
// the list stays valid when lines move.
func readExclusions(path string) ([]exclusion, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var out []exclusion
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, " ¦ ")
		if len(parts) != 4 || parts[3] == "" {
			return nil, fmt.Errorf("%s:%d: want file ¦ kind ¦ text ¦ reason, each filled in, separated by \" ¦ \"", path, n)
		}
		out = append(out, exclusion{parts[0], parts[1], parts[2], parts[3]})
	}
	return out, lines.Err()
}

// exclude returns the mutants that are not on the list, and the entries for the package's files
// that match no mutant any more.
func exclude(mutants []mutant, list []exclusion) (rest []mutant, stale []exclusion) {
	used, files := map[exclusion]bool{}, map[string]bool{}
	for _, m := range mutants {
		files[m.File] = true
		keep := true
		for _, x := range list {
			if x.file == m.File && x.kind == m.Kind && x.text == m.Text {
				used[x], keep = true, false
			}
		}
		if keep {
			rest = append(rest, m)
		}
	}
	for _, x := range list {
		if files[x.file] && !used[x] {
			stale = append(stale, x)
		}
	}
	return rest, stale
}
