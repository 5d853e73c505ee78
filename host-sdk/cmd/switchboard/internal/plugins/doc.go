// Package plugins has the plugins of the plugin folder run while the host does: it launches them,
// takes other versions into use while calls go on, and removes them.
//
//	plugins.go  Plugins: launched, switched, removed, stopped
//	needed.go   what needs a plugin, before it is exchanged or removed
package plugins
