package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fencedBlock = regexp.MustCompile("(?ms)^```.*?^```$")
	pageLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// linksLead checks every link of the pages below a folder: it leads to a file that lies there too
// or, at the repository's public address, to one that is committed.
func linksLead(t *testing.T, root string) {
	t.Helper()
	src, err := open(repository)
	if err != nil {
		t.Fatal(err)
	}
	public := regexp.MustCompile(`^` + regexp.QuoteMeta(homepage) + `/(?:blob|tree)/v` + regexp.QuoteMeta(src.version) + `/([^#]+)`)
	inside, outside := 0, 0
	err = filepath.WalkDir(root, func(page string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(page) != ".md" {
			return err
		}
		text, err := os.ReadFile(page)
		if err != nil {
			return err
		}
		for _, m := range pageLink.FindAllStringSubmatch(fencedBlock.ReplaceAllString(string(text), ""), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if committed := public.FindStringSubmatch(m[1]); committed != nil {
				outside++
				target = src.path(committed[1])
			} else if target == "" || strings.Contains(target, "://") {
				continue
			} else {
				inside++
				target = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link %s leads nowhere: %v", strings.TrimPrefix(page, root), m[1], err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d links lead to files that lie there, %d to the repository", inside, outside)
	if inside < 100 || outside < 1 {
		t.Errorf("%d links inside, %d to the repository: too few for the pages of a release", inside, outside)
	}
}

// TestLinksOfPagesLeadToWhereFilesLie looks at the pages of an archive, and at those of a package,
// which puts schemas and definitions elsewhere.
func TestLinksOfPagesLeadToWhereFilesLie(t *testing.T) {
	t.Parallel()
	src, err := open(repository)
	if err != nil {
		t.Fatal(err)
	}
	r := &release{source: src}
	if err := r.committed(); err != nil {
		t.Fatal(err)
	}
	for name, place := range map[string]func(string) string{
		"archive": func(name string) string { return name },
		"package": func(name string) string { return installed(name, "/usr/share/doc/livecall/") },
	} {
		t.Run(name, func(t *testing.T) {
			entries, err := r.relinked(r.shared, place)
			if err != nil {
				t.Fatal(err)
			}
			root := t.TempDir()
			for _, e := range entries {
				file := filepath.Join(root, place(e.name))
				data := e.data
				if e.file != "" {
					if data, err = os.ReadFile(e.file); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			linksLead(t, root)
		})
	}
}
