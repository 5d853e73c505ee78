// Package integrations has the commands that look at integrations. They are made and changed on
// pages, and by the API, as their forms are the plugins' own.
//
//	integrations.go  integration list, integration show
package integrations
