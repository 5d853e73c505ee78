// Package hosts tests hosts that are not switchboard, as real processes with the real plugin: the
// example of one file that is the text of docs/host-guide.md, and a host in another language, which
// is the text of docs/other-languages.md.
//
//	host_test.go   host-sdk/examples/host: a call from dialing to conversation
//	node_test.go   node/host.mjs: the same, through a client that knows only gRPC
//
// To take newer packages for Node: change node/package.json, run npm install --package-lock-only in
// that folder, and commit both files.
package hosts
