// Package wire carries the contract of package integration over gRPC: conversions between the
// contract's values and the generated messages, errors to and from gRPC statuses, a server that
// wraps an [integration.Integration] and a client that is one. It does no I/O of its own and knows
// nothing of processes.
//
// # Map
//
//	generic.go    slices, pointers, times: what every conversion is made of
//	messages.go   where the messages of a request lie, to be used again
//	facts.go      facts, sessions, instances, questions and answers
//	alert.go      snapshots, commands, media references
//	task.go       tasks, results, mails
//	outcome.go    outcomes, call views, findings
//	describe.go   descriptions, options, HTTP answers
//	request.go    the request and response of each method
//	errors.go     the closed set of kinds, to and from a gRPC status
//	text.go       text that is not UTF-8 never stops a message
//	server.go     gRPC server around an integration
//	client.go     integration around a gRPC connection
//	stream.go     streams, each of which carries one request after the other
//	lifecycle.go  draining
//	codec.go      encoding and decoding of messages for gRPC
//
// Two directions stand side by side for every type: xToPB and xFromPB. They hold no logic. An empty
// slice or map and an absent one are the same on the wire, except where the contract gives nil a
// meaning of its own (ActionResult.State).
package wire
