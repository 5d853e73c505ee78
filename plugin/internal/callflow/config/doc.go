// Package config is what the call flow depends on among an integration's options. Package options
// decodes it from the form's document; the documented defaults are [Defaults].
package config
