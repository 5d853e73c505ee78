// Command sealmanifest writes manifest.json, with the hashes of the executables that lie there,
// into a plugin's folder.
//
//	sealmanifest [-from manifest.json] [-platform linux-amd64]... DIR
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// main prints a line for each executable, so that the log of a build says what was sealed. Wrong
// arguments end it with status 2, all else with 1.
func main() {
	from := flag.String("from", manifest.FileName, "manifest without hashes")
	var platforms []string
	flag.Func("platform", "os-arch to seal; may be repeated (default this one)", func(s string) error {
		platforms = append(platforms, s)
		return nil
	})
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: sealmanifest [-from FILE] [-platform OS-ARCH]... DIR")
		os.Exit(2)
	}
	m, err := manifest.Seal(*from, flag.Arg(0), platforms...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for platform, exe := range m.Executables {
		fmt.Printf("%s %s %s %s %s\n", m.ID, m.Version, platform, exe.Path, exe.SHA256)
	}
}
