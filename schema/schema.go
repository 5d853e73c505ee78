// Package schema embeds the project's JSON Schemas. Callers get the bytes of the files in this
// folder, because a decoded schema would lose the order of its keys, which is the order of the
// form. The package imports only the standard library, so that every other package may use it.
package schema

import "embed"

//go:embed *.json
var files embed.FS

// Manifest returns the JSON Schema (draft-07) of a plugin's manifest.json.
func Manifest() []byte { return read("manifest.schema.json") }

// Options returns the JSON Schema (draft-07) of the option form of the live call routing plugin, in
// form order.
func Options() []byte { return read("options.schema.json") }

// SwitchboardFile returns the JSON Schema (draft-07) of the switchboard host's YAML file.
func SwitchboardFile() []byte { return read("switchboard.schema.json") }

// read returns a fresh copy of an embedded file. A missing one is a defect of this package, seen by
// its first caller.
func read(name string) []byte {
	data, err := files.ReadFile(name)
	if err != nil {
		panic("schema: " + err.Error())
	}
	return data
}
