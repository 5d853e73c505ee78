// Package event is what can happen to a call, as values: a request of Twilio, the result of a task,
// a timer, a change of the alert. Which fields of an [Event] matter is said at its [Kind]; the path
// and the effects of each kind are in the table of package callflow.
package event
