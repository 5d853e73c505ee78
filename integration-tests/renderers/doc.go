// Package renderers draws the options form with the form libraries that web platforms use, in a
// real browser: RJSF, JSON Forms and json-editor. Each draws the schema as the plugin gives it,
// with the UI schema that host-sdk/form derives; the form is filled as a person would, and the
// plugin judges the document that comes out.
//
//	npm.go    the libraries: npm ci installs them once for each lock file, esbuild bundles them
//	pages/    what an engineer of a platform would write to draw the form, for each library
//
// To see the forms: LIVECALL_SCREENSHOTS=FOLDER go test .
//
// Nothing of these libraries is part of the product or of this repository. To take newer ones:
// change package.json, run npm install --package-lock-only in this folder, and commit both files.
package renderers
