package form

import _ "embed"

// Script is a few lines of JavaScript that hide fields whose condition is false. Serve it from your
// own origin; the form works without it.
//
//go:embed form.js
var Script []byte
