// Command behavioursdoc writes docs/behaviours.md: what the plugin does of each behaviour in
// behaviours.txt, and the tests that prove it, found by the numbers in their names.
//
//	behavioursdoc ROOT FILE
//
// A test proves a behaviour by its name (TestPT35_…) or by that of one of its cases ("PT-35 zero is
// no choice"). A range (TestPT34to36_…) counts for each number of it. It is run by go generate; a
// test of this package fails while the file is out of date, and while a number has no test.
package main

import (
	_ "embed"
	"fmt"
	"os"
)

//go:embed behaviours.txt
var behaviours string

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: behavioursdoc ROOT FILE")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "behavioursdoc:", err)
		os.Exit(1)
	}
}

func write(root, file string) error {
	list, err := parse(behaviours)
	if err != nil {
		return err
	}
	tests, err := scan(root)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(render(list, tests)), 0o644) //nolint:gosec // documentation is for everybody to read
}
