// Package hosts tests hosts that are not switchboard, as real processes with the real plugin: the
// example of one file that is the text of docs/host-guide.md, and a host in another language.
//
//	host_test.go   host-sdk/examples/host: a call from dialing to conversation
package hosts
