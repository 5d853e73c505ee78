// Package callflow is one phone call as a pure state machine.
//
// [Step] takes the options, the call's state and one event, and returns the new state, the answer
// to Twilio and a list of effects. Its words have packages of their own: [config] the options,
// [call] what is remembered, [event] what can happen, [reply] the answers, [effect] everything else
// that is to be done. What the host says and what it is to do are the contract's values (package
// integration).
//
// Step has no clock, does no I/O, draws no random numbers and iterates over no map: the same
// arguments give the same result, so that a handler may be run again after a conflict, a crash or a
// repeated request.
//
// # How the joining package uses it
//
//  1. Turn the request into an [event.Event]: its kind, the fields that its kind documents, and the
//     host's facts.
//  2. Call Step. If [effect.Questions] finds any among the effects, the state is unchanged and the
//     reply is nil: ask the host those questions, put the answers into Event.Facts.Answers, call
//     Step again with everything else as it was.
//  3. If [Changed] says so, store the state; the users of [call.Occupies], [call.Live] and
//     [call.View] go with it.
//  4. Turn the reply into TwiML (every URL in the document carries the reply's Step number and, for
//     legs, the leg's id) and each effect into an alert command, a task, a timer, a mail or a
//     finding.
//  5. Before a task touches a live call, ask [Wanted] with the state as it is then.
//
// Webhook kinds always get a reply; other kinds never do.
//
// Deadlines are part of the state. After each event the machine compares the deadlines before and
// after and emits [effect.StartTimer] and [effect.CancelTimer]; and at each event, a tick of the
// hold music above all, whatever is overdue is acted upon, so that a lost timer costs time but
// never the caller.
//
// # Why it is one package
//
// What can be said by values alone has packages of its own. What remains decides, and shares one
// state: an accept lets other phones go, which moves the alert, which may end the hold; a message
// rings people by the same turns as a call. Each file holds one subject of that, and calls into
// half a dozen others, in both directions. A package for each would need their handlers exported to
// one another, and the order in which a step works, which run keeps in one place, would be spread
// over them.
//
// # Map
//
//	question.go   asking the host, and who is on call
//	machine.go    Step itself: the order in which an event is worked on
//	table.go      every event: path, answer, handlers by phase and where they lead; the diagram
//	arrival.go    admission, host states, teams
//	verify.go     finding out whether the call is real
//	repeat.go     callers who called before, or too often
//	menu.go       choosing a team by keys
//	hold.go       ticks, the star key, leaving the queue
//	reach.go      whom to ring: acknowledgements, layers, nobody took it
//	people.go     whoever may be rung: turns, phones, other calls
//	leg.go        one responder's phone: dialing, asking, ending
//	connect.go    the question to a responder, accepting, announcing
//	talk.go       whether there was a conversation
//	sound.go      files that cannot be played
//	voicemail.go  leaving the hold, the greeting
//	recording.go  recordings: found, fetched, delivered to the alert
//	delivery.go   messages: who is rung to hear them, and until when
//	hearing.go    the questions to who hears a message; what counts as heard
//	hangup.go     proof that the caller is gone; ends
//	alert.go      alert commands and snapshots
//	deadline.go   deadlines, timers, what is done when one is overdue
package callflow
