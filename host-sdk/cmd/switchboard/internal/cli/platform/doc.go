// Package platform has the commands for whoever connects a platform of their own over HTTP.
//
//	platform.go      platform openapi
//	platformtest.go  platform test
package platform
