// Package reply is what Twilio is answered, as values. Package render makes TwiML of a [Reply], and
// package prompts the words of a [Prompt]: the call flow knows neither verbs nor languages.
package reply
