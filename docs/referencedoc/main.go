// Command referencedoc writes a reference into a Markdown file, between two markers.
//
//	main.go      the command
//	api.go       the routes of switchboard's JSON API, from its OpenAPI document
//	contract.go  what the package of the contract exports, from its doc comments
//
// Usage:
//
//	referencedoc api OPENAPI FILE
//	referencedoc contract FOLDER FILE
//
// go generate runs it. A test of this package fails while a file is out of date.
package main

import (
	"fmt"
	"os"

	"github.com/livecallrouting/livecall/internal/gendoc"
)

// kinds are the references, by the name of their markers.
var kinds = map[string]func(from string) (string, error){"api": api, "contract": contract}

func main() {
	if len(os.Args) != 4 || kinds[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: referencedoc api|contract FROM FILE")
		os.Exit(2)
	}
	text, err := kinds[os.Args[1]](os.Args[2])
	if err == nil {
		err = gendoc.Update(os.Args[3], os.Args[1], text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "referencedoc:", err)
		os.Exit(1)
	}
}
