package command

import (
	"context"
	"io"

	"github.com/alecthomas/kong"
)

// Surroundings is what the commands may touch of the outside world.
type Surroundings struct {
	Ctx            context.Context
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	ExeDir         string // folder of the binary
	Sample         []byte // a sample switchboard file
	Version        string
	// Model makes the whole command line anew, for completion and manual pages. It is some MiB,
	// which a running host need not keep.
	Model func() (*kong.Application, error)
}
