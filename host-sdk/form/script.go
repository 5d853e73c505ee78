package form

import _ "embed"

// Script is JavaScript that hides fields whose condition is false, and gives the focus to an
// element with the id problems. Serve it from your own origin, so that a strict content security
// policy allows it. The form works without it.
//
//go:embed form.js
var Script []byte
