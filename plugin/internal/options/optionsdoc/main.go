// Command optionsdoc writes the table of options into a Markdown file, between two markers.
// Everything in the table comes from the form's schema and, for recordings, from the English
// prompts.
//
//	optionsdoc FILE
//
// go generate runs it. A test of this package fails while the file is out of date.
package main

import (
	"fmt"
	"os"

	"github.com/livecallrouting/livecall/internal/gendoc"
	"github.com/livecallrouting/livecall/schema"
)

// part is the name of the table's markers.
const part = "options"

// main rewrites the part between the markers and nothing else of the file.
func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: optionsdoc FILE")
		os.Exit(2)
	}
	text, err := table(schema.Options())
	if err == nil {
		err = gendoc.Update(os.Args[1], part, text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "optionsdoc:", err)
		os.Exit(1)
	}
}
