package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/livecallrouting/livecall/schema"
)

// FileName is the manifest's name in a plugin's folder.
const FileName = "manifest.json"

// MaxBytes bounds a manifest file: 64 KiB.
const MaxBytes = 64 << 10

// Manifest is a plugin's manifest. The meaning of each field is in schema/manifest.schema.json. It
// is data of whoever made the plugin; nothing in it is believed before Parse has checked it.
type Manifest struct {
	Schema      string                `json:"$schema,omitempty"`
	ID          string                `json:"id"`
	Name        string                `json:"name"`
	Version     string                `json:"version"`
	Protocol    Protocol              `json:"protocol"`
	Description string                `json:"description,omitempty"`
	License     string                `json:"license,omitempty"`
	Homepage    string                `json:"homepage,omitempty"`
	Environment []string              `json:"environment,omitempty"`
	Executables map[string]Executable `json:"executables"` // by platform, see Platform
}

// Protocol is the wire protocol that a plugin speaks. Several major versions may be offered by one
// executable, as go-plugin negotiates.
type Protocol struct {
	Versions []int `json:"versions"` // major
	Minor    int   `json:"minor"`
}

// Executable is one file to run.
type Executable struct {
	Path   string `json:"path"`           // below the plugin's folder, with forward slashes
	SHA256 string `json:"sha256"`         // hex; empty in a repository
	Size   int64  `json:"size,omitempty"` // bytes; 0 = not said
}

// Platform names this program's operating system and architecture as manifests do, such as
// "linux-amd64".
func Platform() string { return runtime.GOOS + "-" + runtime.GOARCH }

// Parse reads a manifest and checks it against its schema. The error names each field that is
// wrong.
func Parse(data []byte) (Manifest, error) {
	// Decoded twice: as a plain value for the schema, which sees unknown fields, and as a Manifest.
	dec := json.NewDecoder(bytes.NewReader(data))
	var doc any
	if err := dec.Decode(&doc); err != nil {
		return Manifest{}, fmt.Errorf("not JSON: %w", err)
	}
	// encoding/json stops after the first value. What follows could be a second manifest that
	// another reader sees.
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Manifest{}, errors.New("more than one JSON value in the file")
	}
	compiled, err := compiledSchema()
	if err != nil {
		return Manifest{}, err
	}
	if err := compiled.Validate(doc); err != nil {
		return Manifest{}, flatten(err)
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("not a manifest: %w", err)
	}
	return m, nil
}

// FitsHost is nil if the plugin speaks a major version of the protocol, that of a host. A smaller
// or larger minor is no hindrance: additions may be ignored by either side.
func (m Manifest) FitsHost(version int) error {
	if slices.Contains(m.Protocol.Versions, version) {
		return nil
	}
	return fmt.Errorf("its manifest offers protocol versions %v, this host speaks %d: install a plugin and a host that go together", m.Protocol.Versions, version)
}

// Executable returns the executable for a platform. The error lists what there is, since most
// likely the wrong archive was unpacked.
func (m Manifest) Executable(platform string) (Executable, error) {
	exe, ok := m.Executables[platform]
	if !ok {
		have := slices.Sorted(maps.Keys(m.Executables))
		return Executable{}, fmt.Errorf("no executable for %s, only for %s: install the archive for this platform",
			platform, strings.Join(have, ", "))
	}
	return exe, nil
}

// compiledSchema compiles the embedded schema once. A schema never loads another one. An error
// would be a defect of the embedded schema, which tests find.
var compiledSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	const name = "manifest.schema.json"
	compiler := jsonschema.NewCompiler()
	compiler.Draft = jsonschema.Draft7
	// A reference in a schema would otherwise have a host read a file or the network.
	compiler.LoadURL = func(url string) (io.ReadCloser, error) {
		return nil, fmt.Errorf("manifest schema: refusing to load %q", url)
	}
	if err := compiler.AddResource(name, bytes.NewReader(schema.Manifest())); err != nil {
		return nil, fmt.Errorf("manifest schema: %w", err)
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return nil, fmt.Errorf("manifest schema: %w", err)
	}
	return compiled, nil
})

// maxProblems is how many problems of a manifest are reported one by one.
const maxProblems = 10

// flatten makes one line of what the schema says, one clause a field. The library's error is a
// tree, whose leaves say what is wrong; the rest repeats where it was found. Lengths are bounded,
// as a manifest's text is in it.
func flatten(err error) error {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	var clauses []string
	number := 0
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			where := e.InstanceLocation
			if where == "" {
				where = "/"
			}
			number++
			if number <= maxProblems {
				clauses = append(clauses, fmt.Sprintf("%.200s: %.200s", where, e.Message))
			}
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(invalid)
	if number > maxProblems {
		clauses = append(clauses, fmt.Sprintf("… and %d more", number-maxProblems))
	}
	return errors.New(strings.Join(clauses, "; "))
}
