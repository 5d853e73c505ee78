// Package suite is the process in which the conformance suite runs against a platform. The suite is
// platformtest, whose tests run in package testing: that ends its process, hence one of its own.
//
//	suite.go  what the process is given, what it runs, what its output means
//	asked.go  which requests belong to which of its tests
//	about.go  what each test is about, for people
package suite
