// Package prompts holds the texts that callers and responders hear, one file a language, and the
// voices that speak them.
//
// A further language is one more file in texts/ with the same keys, and a line in languages. A test
// holds the files against one another.
//
// # Map
//
//	prompts.go   texts by key and language
//	language.go  languages on offer and their voices
//	number.go    telephone numbers as they are spoken
//	texts/       the texts
package prompts
