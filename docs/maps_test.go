package docs_test

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPackagesHaveMapsOfTheirFiles wants the comment of each package of some size to say what is in
// which file, of every file and of no other.
func TestPackagesHaveMapsOfTheirFiles(t *testing.T) {
	t.Parallel()
	const small = 4 // files that one looks through as fast as a map
	file := regexp.MustCompile(`[a-z0-9_*]+\.go`)
	files, maps := map[string][]string{}, map[string][]string{}
	for name, text := range sources(t, "..") {
		folder, base := path.Split(name)
		if !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") || strings.Contains(name, "/internal/pb/") {
			continue
		}
		comment, _, _ := strings.Cut(string(text), "\npackage ")
		for line := range strings.Lines(comment) {
			if row, found := strings.CutPrefix(line, "//\t"); found {
				names, _, _ := strings.Cut(row, "  ")
				maps[folder] = append(maps[folder], file.FindAllString(names, -1)...)
			}
		}
		if base != "doc.go" && base != "generate.go" {
			files[folder] = append(files[folder], base)
		}
	}
	looked := 0
	for folder, list := range files {
		if len(list) < small && maps[folder] == nil {
			continue
		}
		looked++
		used := map[string]bool{}
		for _, base := range list {
			i := slices.IndexFunc(maps[folder], func(pattern string) bool {
				ok, err := path.Match(pattern, base)
				return ok && err == nil
			})
			if i < 0 {
				t.Errorf("%s%s is not in the map of its package", folder, base)
				continue
			}
			used[maps[folder][i]] = true
		}
		for _, pattern := range maps[folder] {
			if !used[pattern] && pattern != "doc.go" {
				t.Errorf("the map of %s has %s, which does not exist", folder, pattern)
			}
		}
	}
	if looked < 60 {
		t.Errorf("only %d maps were looked at", looked)
	}
}
