// Package prompts holds the texts that callers and responders hear, one file per language, and the
// voices that speak them.
//
// To add a language, add a file with the same keys to texts/, a line to languages and a choice to
// the form. Tests compare the files with one another and the form with this package.
//
// # Map
//
//	prompts.go   texts by key and language
//	language.go  languages on offer and their voices
//	number.go    telephone numbers as they are spoken
//	texts/       the texts
package prompts
