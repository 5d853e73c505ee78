// Command dist builds what a release consists of, the same bytes for the same sources: archives,
// packages, a container image, hashes, a list of parts, and signatures.
//
//	main.go      the steps in their order
//	source.go    the checkout: version, time, files, Go commands
//	build.go     programs, manual pages and completions of one platform
//	tree.go      files in memory or on disk, written as an archive
//	archive.go   what is in each archive
//	links.go     links of pages, from where each page lies in the release
//	licences.go  licence texts of everything that is linked, and which licences are permitted
//	sbom.go      the list of parts in CycloneDX
//	packages.go  deb and rpm
//	image.go     the container image
//	sign.go      SHA256SUMS and signatures
//
// Usage:
//
//	go -C .ci/tools run ./dist [-out FOLDER] [-platforms linux-amd64,…]
//
// LIVECALL_MINISIGN_KEY has the text of a minisign secret key, LIVECALL_MINISIGN_PASSWORD its
// password. Without a key nothing is signed, which the last line says.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	root := flag.String("root", filepath.Join("..", ".."), "checkout to build")
	out := flag.String("out", "dist", "folder to write, relative to the checkout; it is emptied first")
	platforms := flag.String("platforms", "linux-amd64,linux-arm64,darwin-amd64,darwin-arm64", "platforms, separated by commas")
	flag.Parse()
	if flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*root, *out, strings.Split(*platforms, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// run builds a release of the checkout in root into the folder out. Nothing is left in out of a
// release from before; what fails half-way leaves a part.
func run(root, out string, platforms []string) error {
	key, err := signingKey()
	if err != nil {
		return err // before minutes of building
	}
	src, err := open(root)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "livecall-dist-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	r := &release{source: src, work: work}
	if r.out, err = emptied(src.path(out)); err != nil {
		return err
	}
	if err := r.build(platforms); err != nil {
		return err
	}
	for _, step := range []func() error{r.archives, r.packages, r.image, r.sbom} {
		if err := step(); err != nil {
			return err
		}
	}
	return r.finish(key)
}

// release is one that is being built. Its steps are methods, each of which writes files to out.
type release struct {
	source *source
	work   string   // a temporary folder
	out    string   // absolute
	shared []entry  // what the archives of all platforms have in common
	built  []target // in the order of the command line
	parts  []part   // everything that is linked into the programs
}

// name is a file name of this release. kind says what it is, suffix the platform and type.
func (r *release) name(kind, suffix string) string {
	return filepath.Join(r.out, kind+"_"+r.source.version+suffix)
}

// emptied makes an empty folder. It refuses to empty one that holds something else than a release.
// A typing error in -out must not cost somebody their files.
func emptied(folder string) (string, error) {
	found, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return "", err
	}
	for _, path := range found {
		if base := filepath.Base(path); !strings.HasPrefix(base, "livecall") && !strings.HasPrefix(base, "SHA256SUMS") {
			return "", fmt.Errorf("%s holds %s, which is no part of a release: choose another folder with -out", folder, base)
		}
	}
	for _, path := range found {
		if err := os.RemoveAll(path); err != nil {
			return "", err
		}
	}
	return folder, os.MkdirAll(folder, 0o755) //nolint:gosec // everybody may read a release
}
