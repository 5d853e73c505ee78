package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// target is a platform with the programs that were built for it. Its folder is temporary; archives,
// packages and the image are made from it.
type target struct {
	platform string // os-arch
	folder   string // switchboard, and plugins/livecall with the sealed plugin
}

// suffix is how names of files say the platform, such as _linux_amd64.
func (t target) suffix() string { return "_" + strings.ReplaceAll(t.platform, "-", "_") }

// switchboard is the program, plugin the folder of the plugin.
func (t target) switchboard() string { return filepath.Join(t.folder, "switchboard") }
func (t target) plugin() string      { return filepath.Join(t.folder, "plugins", "livecall") }

// build builds the programs of each platform. One platform after the other: each uses all
// processors by itself.
func (r *release) build(platforms []string) error {
	for _, platform := range platforms {
		t := target{platform: platform, folder: filepath.Join(r.work, platform)}
		if err := r.compile(t); err != nil {
			return err
		}
		fmt.Println("built", platform)
		r.built = append(r.built, t)
	}
	return r.describe()
}

// compile builds both programs and seals the plugin's folder: its manifest gets the executable's
// hash.
func (r *release) compile(t target) error {
	for program, pkg := range map[string]string{t.switchboard(): "./host-sdk/cmd/switchboard", filepath.Join(t.plugin(), "livecall"): "./plugin"} {
		// Paths, build ids and version control would make two builds differ.
		_, err := r.source.command(toolchain(t.platform), "go", "build", "-trimpath", "-buildvcs=false",
			"-ldflags=-s -w -buildid= -X main.version="+r.source.version, "-o", program, pkg)
		if err != nil {
			return err
		}
	}
	// The sealing runs here, whatever platform is sealed.
	_, err := r.source.command(toolchain(hostPlatform()), "go", "run", "-trimpath", "-buildvcs=false",
		"./host-sdk/manifest/sealmanifest", "-from", "manifest.json", "-platform", t.platform, t.plugin())
	return err
}

// hostPlatform is that of the machine that builds.
func hostPlatform() string { return runtime.GOOS + "-" + runtime.GOARCH }

// describe collects what does not depend on the platform: pages, schemas, completions, licences.
// They are made by a program of this release, so that they cannot be of another one.
func (r *release) describe() error {
	speaking := filepath.Join(r.work, "speaking") // of this machine, whatever is built
	_, err := r.source.command(toolchain(hostPlatform()), "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -X main.version="+r.source.version, "-o", speaking, "./host-sdk/cmd/switchboard")
	if err != nil {
		return err
	}
	for name, args := range map[string][]string{
		"man/man1/switchboard.1":            {"man"},
		"completions/bash/switchboard":      {"completion", "bash"},
		"completions/zsh/_switchboard":      {"completion", "zsh"},
		"completions/fish/switchboard.fish": {"completion", "fish"},
		"examples/switchboard.yaml":         {"config", "sample"},
	} {
		text, err := r.source.command(nil, speaking, args...)
		if err != nil {
			return err
		}
		r.shared = append(r.shared, entry{name: name, data: []byte(text)})
	}
	if err := r.committed(); err != nil {
		return err
	}
	// After the programs, as what is linked depends on all platforms.
	if r.parts, err = linked(r.source, r.built); err != nil {
		return err
	}
	texts, err := licenceTexts(r.parts)
	r.shared = append(r.shared, entry{name: "LICENSES.txt", data: texts})
	return err
}

// committed collects the pages, schemas and examples of the repository. Only committed files are
// taken, so that nothing of somebody's checkout gets out.
func (r *release) committed() error {
	isPage := func(name string) bool { return !strings.HasSuffix(name, ".go") }
	for _, from := range []struct {
		folder, to string
		accept     func(string) bool
	}{
		{"docs", "docs", isPage},
		{"schema", "schema", func(name string) bool { return strings.HasSuffix(name, ".json") }},
		{"host-sdk/proto", "proto", func(name string) bool { return strings.HasSuffix(name, ".proto") }},
	} {
		files, err := r.source.files(from.folder, from.accept)
		if err != nil {
			return err
		}
		for _, name := range files {
			r.shared = append(r.shared, entry{name: from.to + strings.TrimPrefix(name, from.folder), file: r.source.path(name)})
		}
	}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md"} {
		r.shared = append(r.shared, entry{name: name, file: r.source.path(name)})
	}
	for to, name := range map[string]string{
		"systemd/switchboard.service": "switchboard.service", "examples/environment": "environment",
		"compose/compose.yaml": "compose.yaml", "compose/Caddyfile": "Caddyfile",
	} {
		// A name that was changed must fail here and not in a package.
		if _, err := os.Stat(r.source.path(".ci/dist/" + name)); err != nil {
			return err
		}
		r.shared = append(r.shared, entry{name: to, file: r.source.path(".ci/dist/" + name)})
	}
	return nil
}
