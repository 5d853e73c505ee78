package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/licenseclassifier/v2/assets"
)

// permitted are the licences, by their SPDX names, under which linked parts may be: all of them
// allow programs under the Apache License to be passed on in binary form. The Mozilla licence asks
// that the part's source can be had, which its module path tells.
var permitted = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0"}

// judged are texts that people have read because they are not recognised, by module and file, with
// the SPDX names of what they are. A module that changes such a text is asked about again only if
// its name changes.
var judged = map[string][]string{
	// The address of a picture that is not linked.
	"modernc.org/memory LICENSE-LOGO":   {},
	"modernc.org/sqlite LICENSE-SQLITE": {"blessing"}, // the public domain
}

// part is a module that is linked into the programs, or Go's own library. Everything but path and
// version is found by read.
type part struct {
	path, version string
	folders       []string // absolute, of the linked packages, up to the module's root
	licences      []string // SPDX names
	texts         []text
}

// text is a file that its authors want to be passed on. Licences and notices among them must be
// passed on with the programs.
type text struct {
	name string // relative to the module
	data []byte
}

// linked are the parts of the programs of all platforms, each with its licences. A licence that is
// not permitted, and a part without one, are errors. They are sorted by path.
func linked(src *source, targets []target) ([]part, error) {
	found := map[string]*part{}
	for _, t := range targets {
		// The standard library has no module, hence its own word.
		out, err := src.command(toolchain(t.platform), "go", "list", "-deps", "-f",
			"{{.Dir}}\t{{if .Standard}}std\t\t{{else}}{{with .Module}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}",
			"./host-sdk/cmd/switchboard", "./plugin")
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(out) {
			fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if len(fields) != 4 {
				return nil, fmt.Errorf("go list printed %q", line)
			}
			addPackage(found, fields[0], fields[1], fields[2], fields[3])
		}
	}
	if err := addLibrary(src, found["std"]); err != nil {
		return nil, err
	}
	var (
		parts []part
		errs  []error
	)
	for _, path := range slices.Sorted(maps.Keys(found)) {
		p := found[path]
		errs = append(errs, p.read()) // all that are to be judged are named at once
		parts = append(parts, *p)
	}
	return parts, errors.Join(errs...)
}

// addPackage notes the folders from a package up to its module's root. Packages of ours have no
// version. A licence may lie in a folder above the package that is linked.
func addPackage(found map[string]*part, folder, module, version, root string) {
	if version == "" && module != "std" {
		return
	}
	p := found[module]
	if p == nil {
		p = &part{path: module, version: version}
		found[module] = p
	}
	if module == "std" {
		return
	}
	for {
		// Those above it are there, too.
		if slices.Contains(p.folders, folder) {
			return
		}
		p.folders = append(p.folders, folder)
		if folder == root || len(folder) < len(root) {
			return
		}
		folder = filepath.Dir(folder)
	}
}

// addLibrary completes Go's own library, whose licence lies above its packages.
func addLibrary(src *source, std *part) error {
	out, err := src.command(nil, "go", "env", "GOROOT", "GOVERSION")
	if err != nil {
		return err
	}
	root, version, _ := strings.Cut(strings.TrimSpace(out), "\n")
	std.folders, std.version = []string{root}, version
	return nil
}

// By the names that people give such files; a text without one of them is not found.
var (
	isText    = regexp.MustCompile(`(?i)(licen[cs]e|copying|copyright|notice|patents)`)
	isLicence = regexp.MustCompile(`(?i)(licen[cs]e|copying)`)
)

// read reads the texts of a part and recognises its licences. Texts of folders that are not linked
// are not read.
func (p *part) read() error {
	slices.Sort(p.folders)
	// The shortest is the module's own.
	root := slices.MinFunc(p.folders, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	for _, folder := range p.folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.IsDir() || strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), ".license") || !isText.MatchString(e.Name()) {
				continue
			}
			file := filepath.Join(folder, e.Name())
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			p.texts = append(p.texts, text{name: filepath.ToSlash(name), data: data})
		}
	}
	return p.recognise()
}

// recognise sets the licences of a part from its texts. All problems of a part are in the error, so
// that they can be judged at once.
func (p *part) recognise() error {
	var errs []error
	for _, t := range p.texts {
		if !isLicence.MatchString(filepath.Base(t.name)) {
			continue
		}
		if names, ok := judged[p.path+" "+t.name]; ok {
			p.licences = append(p.licences, names...)
			continue
		}
		names, err := licencesOf(t.data)
		if err != nil {
			return err
		}
		if len(names) == 0 {
			errs = append(errs, fmt.Errorf("%s %s: the licence in %s is not recognised: is it permitted?", p.path, p.version, t.name))
		}
		for _, name := range names {
			if !slices.Contains(permitted, name) {
				errs = append(errs, fmt.Errorf("%s %s is under the licence %s (%s), and only %s are permitted: use another module",
					p.path, p.version, name, t.name, strings.Join(permitted, ", ")))
			}
		}
		p.licences = append(p.licences, names...)
	}
	slices.Sort(p.licences)
	p.licences = slices.Compact(p.licences)
	if len(p.licences) == 0 {
		errs = append(errs, fmt.Errorf("%s %s has no licence: it may not be passed on", p.path, p.version))
	}
	return errors.Join(errs...)
}

// known recognises texts of licences. It is made once, as it reads hundreds of them.
var known = sync.OnceValues(assets.DefaultClassifier)

// licencesOf are the SPDX names of the licences of which a text is one. None: it is not recognised,
// or is no licence.
func licencesOf(data []byte) ([]string, error) {
	c, err := known()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range c.Match(c.Normalize(data)).Matches {
		// Copyright lines and headers of files are recognised, too.
		if m.MatchType == "License" {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// licenceTexts is one file with the texts of all parts. It is in each archive, package and image.
func licenceTexts(parts []part) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "switchboard and the plugin contain the following %d parts, each under its own licence.\n", len(parts))
	for _, p := range parts {
		fmt.Fprintf(&out, "\n%s\n%s %s (%s)\n", strings.Repeat("=", 80), p.path, p.version, strings.Join(p.licences, ", "))
		for _, t := range p.texts {
			fmt.Fprintf(&out, "\n--- %s ---\n\n%s\n", t.name, bytes.TrimSpace(t.data))
		}
	}
	return out.Bytes(), nil
}
