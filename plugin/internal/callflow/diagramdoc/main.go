// Command diagramdoc writes the state diagram of a call into a Markdown file, between two markers.
//
//	diagramdoc FILE
//
// go generate runs it. A test of this package fails while the file is out of date.
package main

import (
	"fmt"
	"os"

	"github.com/livecallrouting/livecall/internal/gendoc"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: diagramdoc FILE")
		os.Exit(2)
	}
	if err := gendoc.Update(os.Args[1], part, diagram()); err != nil {
		fmt.Fprintln(os.Stderr, "diagramdoc:", err)
		os.Exit(1)
	}
}

const part = "diagram"

func diagram() string { return "```mermaid\n" + callflow.Diagram() + "```\n" }
