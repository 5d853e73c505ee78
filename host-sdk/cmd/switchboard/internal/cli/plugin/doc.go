// Package plugin has the commands about the installed plugins.
//
//	plugin.go         plugin list, verify and trust
//	plugininstall.go  plugin install, plugin remove
package plugin
