// Package result is what came out of trying a platform.
//
//	report.go  checks and their outcomes, as text and as JSON
package result
