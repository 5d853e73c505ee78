// Command clidoc writes the reference of switchboard's commands into a Markdown file, between two
// markers. Everything in it comes from the command line's own descriptions.
//
//	clidoc FILE
//
// go generate runs it. A test of this package fails while the file is out of date.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli"
	"github.com/livecallrouting/livecall/internal/gendoc"
)

// part is the name of the markers.
const part = "commands"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: clidoc FILE")
		os.Exit(2)
	}
	text, err := commands()
	if err == nil {
		err = gendoc.Update(os.Args[1], part, text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "clidoc:", err)
		os.Exit(1)
	}
}

// commands is what switchboard man --markdown prints, in lines that are not too long.
func commands() (string, error) {
	var out, complaints bytes.Buffer
	if status := cli.Run(context.Background(), []string{"man", "--markdown"}, &out, &complaints, cli.Binary{}); status != 0 {
		return "", fmt.Errorf("switchboard man: status %d: %s", status, complaints.String())
	}
	return gendoc.Wrap(out.String()), nil
}
