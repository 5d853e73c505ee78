package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// nfpm makes the packages. It is run as a program, as its own modules are many. Its version is
// fixed, as another one writes other bytes.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0"

// object is a part of nfpm's configuration, which is YAML and so may be JSON.
type object map[string]any

// packages writes a deb and an rpm for each Linux. Both are made of the same files; they differ in
// what they need to make a user.
func (r *release) packages() error {
	for _, t := range r.built {
		goos, arch, _ := strings.Cut(t.platform, "-")
		if goos != "linux" {
			continue
		}
		contents, err := r.contents(t)
		if err != nil {
			return err
		}
		for kind, needs := range map[string][]string{"deb": {"passwd"}, "rpm": {"shadow-utils"}} {
			config, err := json.Marshal(r.packageConfig(arch, kind, needs, contents))
			if err != nil {
				return err
			}
			file := filepath.Join(r.work, kind+".json")
			if err := os.WriteFile(file, config, 0o600); err != nil {
				return err
			}
			_, err = r.source.command(append(toolchain(hostPlatform()), "TZ=UTC"), "go", "run", "-trimpath", nfpm, "package",
				"--config", file, "--packager", kind, "--target", r.name("livecall", t.suffix()+"."+kind))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// packageConfig is what nfpm is told of a package: what it is called, what it needs, and its
// scripts.
func (r *release) packageConfig(arch, kind string, needs []string, contents []object) object {
	script := func(name string) string { return r.source.path(".ci/dist/" + name + ".sh") }
	config := object{
		"name": "livecall", "arch": arch, "platform": "linux", "version": r.source.version, "section": "comm",
		// No mail address belongs to the project: SECURITY.md says so, too.
		"maintainer":  "The livecall maintainers <" + homepage + ">",
		"vendor":      "livecall",
		"description": "A hotline: callers reach the person on call\nswitchboard, with the plugin for telephone calls.",
		"homepage":    homepage, "license": "Apache-2.0",
		"mtime": r.source.committed.Format(time.RFC3339), "contents": contents,
		"rpm": object{"buildhost": "localhost"},
		"scripts": object{
			"preinstall": script("preinstall"), "postinstall": script("postinstall"),
			"preremove": script("preremove"), "postremove": script("postremove"),
		},
	}
	if kind == "deb" { // before its files are unpacked, of which some belong to the new user
		config["deb"] = object{"predepends": needs}
	} else {
		config["depends"] = needs
	}
	return config
}

// contents are the files of a package. Modes and owners are set here, whatever the files on this
// disk have.
func (r *release) contents(t target) ([]object, error) {
	const lib, doc = "/usr/lib/livecall/", "/usr/share/doc/livecall/"
	var out []object
	info := func(mode int, owner string) object {
		return object{"mode": mode, "owner": "root", "group": owner, "mtime": r.source.committed.Format(time.RFC3339)}
	}
	file := func(src, dst string, mode int) {
		out = append(out, object{"src": src, "dst": dst, "file_info": info(mode, "root")})
	}
	file(t.switchboard(), lib+"switchboard", 0o755)
	for _, e := range t.pluginFiles() {
		mode := 0o644
		if e.executable {
			mode = 0o755
		}
		file(e.file, lib+"plugins/livecall/"+e.name, mode)
	}
	// switchboard changes nothing in a folder with this file: dpkg would write through its links.
	own := filepath.Join(r.work, "package")
	if err := os.WriteFile(own, []byte("The plugins here belong to the package livecall.\n"), 0o600); err != nil {
		return nil, err
	}
	file(own, lib+"plugins/.package", 0o644)
	// The folder of the data is the service's alone.
	data := info(0o700, "livecall")
	data["owner"] = "livecall"
	out = append(out,
		object{"src": lib + "switchboard", "dst": "/usr/bin/switchboard", "type": "symlink", "file_info": info(0o777, "root")},
		object{"dst": "/etc/livecall", "type": "dir", "file_info": info(0o755, "root")},
		object{"dst": "/var/lib/livecall", "type": "dir", "file_info": data},
		object{"src": r.source.path(".ci/dist/environment"), "dst": "/etc/livecall/environment", "type": "config|noreplace", "file_info": info(0o600, "root")},
	)
	shared, err := r.relinked(r.shared, func(name string) string { return installed(name, doc) })
	if err != nil {
		return nil, err
	}
	for _, e := range shared {
		src := e.file
		if src == "" {
			src = filepath.Join(r.work, "shared", filepath.FromSlash(e.name))
			if err := os.MkdirAll(filepath.Dir(src), 0o700); err != nil {
				return nil, err
			}
			if err := os.WriteFile(src, e.data, 0o600); err != nil {
				return nil, err
			}
		}
		file(src, installed(e.name, doc), 0o644)
	}
	// The same order each time, as maps and folders have none.
	slices.SortFunc(out, func(a, b object) int { return strings.Compare(fmt.Sprint(a["dst"]), fmt.Sprint(b["dst"])) })
	return out, nil
}

// installed is where a file of the archives lies after a package was installed: where programs look
// for it, or with the documentation. doc is the folder of the documentation.
func installed(name, doc string) string {
	for from, to := range map[string]string{
		"man/":              "/usr/share/man/",
		"completions/bash/": "/usr/share/bash-completion/completions/",
		"completions/zsh/":  "/usr/share/zsh/vendor-completions/",
		"completions/fish/": "/usr/share/fish/vendor_completions.d/",
		"systemd/":          "/usr/lib/systemd/system/",
		"schema/":           "/usr/share/livecall/schema/",
		"proto/":            "/usr/share/livecall/proto/",
	} {
		if rest, found := strings.CutPrefix(name, from); found {
			return to + rest
		}
	}
	if name == "LICENSE" { // by this name it stays where documentation is left out
		name = "copyright"
	}
	return path.Join(doc, name)
}
