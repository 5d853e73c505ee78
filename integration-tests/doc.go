// Package integrationtests tests the real binaries together: switchboard, the plugin and the Twilio simulator.
//
//	architecture_test.go  the dependency rule
package integrationtests
