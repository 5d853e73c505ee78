// Package integrations is the part of the JSON API that is about integrations and what they are of:
// plugins, options, prompts.
//
//	operations.go    Config, the routes
//	integrations.go  list, read, make, replace, delete, actions
//	form.go          the form of an integration for another product's pages
//	upload.go        uploads of prompts
//	plugins.go       plugins and their options schemas
//	pluginchange.go  another version of a plugin, taken into use
package integrations
