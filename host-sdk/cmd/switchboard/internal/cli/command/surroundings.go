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
	Model          *kong.Application // the whole command line, for completion and manual pages
}
