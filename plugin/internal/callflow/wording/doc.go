// Package wording is the words of a call's story that follow from a value alone: lengths of time,
// numbers in a title, why a phone did not take the call. Sentences that depend on what happens are
// written where it is decided.
package wording
