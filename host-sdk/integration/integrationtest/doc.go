// Package integrationtest is the conformance suite for integrations: what every plugin must do,
// whatever service it talks to. A plugin's tests run it three ways: on the value itself, over the
// wire in process, and on the real binary.
//
//	func TestConformance(t *testing.T) {
//		cfg := integrationtest.Config{New: newDirect, Options: validOptions, Webhook: arrival}
//		t.Run("direct", func(t *testing.T) { integrationtest.TestIntegration(t, cfg) })
//		cfg.New = overTheWire // transport.DialInProcess
//		t.Run("wire", func(t *testing.T) { integrationtest.TestIntegration(t, cfg) })
//		cfg.New = launched // launcher.Launch
//		t.Run("binary", func(t *testing.T) { integrationtest.TestIntegration(t, cfg) })
//	}
//
// # Map
//
//	suite.go     Config, TestIntegration, calling with care
//	describe.go  Describe, OptionsSchema
//	options.go   ValidateOptions
//	handlers.go  the three pure handlers
//	io.go        Perform and RunAction, as far as they do no I/O
//	outcome.go   what any outcome must be
//	minor.go     what minor 1 of the protocol has added
//	values.go    copying and searching values
//
// The package imports the standard library and the contract alone.
package integrationtest
