package main

import (
	"errors"
	"os"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// sbom writes the list of what is linked into the programs, in CycloneDX. Modules are named as
// package URLs, by which lists of vulnerabilities find them.
func (r *release) sbom() (err error) {
	self := cdx.Component{
		BOMRef: "livecall", Type: cdx.ComponentTypeApplication, Name: "livecall", Version: r.source.version,
		Licenses: licencesFor([]string{"Apache-2.0"}),
	}
	bom := cdx.NewBOM()
	// No serial number: it would be random.
	bom.Metadata = &cdx.Metadata{Timestamp: r.source.committed.Format(time.RFC3339), Component: &self}
	var components []cdx.Component
	var refs []string
	for _, p := range r.parts {
		url := "pkg:golang/" + p.path + "@" + p.version
		components = append(components, cdx.Component{
			BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: p.path, Version: p.version,
			PackageURL: url, Licenses: licencesFor(p.licences),
		})
		refs = append(refs, url)
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: self.BOMRef, Dependencies: &refs}}
	f, err := os.Create(r.name("livecall", ".cdx.json"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return cdx.NewBOMEncoder(f, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
}

// licencesFor names licences by their SPDX ids.
func licencesFor(names []string) *cdx.Licenses {
	var out cdx.Licenses
	for _, name := range names {
		out = append(out, cdx.LicenseChoice{License: &cdx.License{ID: name}})
	}
	return &out
}
