package suite

// About says, for each test of the suite, what a platform has to do and why. Tests of what the
// protocol does not have are not among them. The keys are the names of the suite's tests, with
// blanks. A test of the suite that is not here is dropped when it is skipped.
var About = map[string]string{
	"healthy":                             "GET /v1/health answers 200 with {} while the platform can be used.",
	"declared capabilities":               "What GET /v1/capabilities claims is there: each command and question that belongs to a claim has its effect. What is not claimed the call flow does without, so claiming less is always right.",
	"teams and destinations":              `GET /v1/teams lists all teams. POST /v1/destinations answers one destination for each reference, in their order; what is not known comes back with "missing": true.`,
	"people on call":                      "GET /v1/teams/{id}/on-call with layer=0 answers all layers, in order, the same as asked one by one; a person has the same content there as at /v1/users/{id}; a layer that does not exist is an empty list, an unknown team 404 not_found.",
	"routers":                             "With the capability routers, POST /v1/routers/{id}/route names destinations that /v1/destinations knows, and an unknown router is 404 not_found. Without it every router is 501 unsupported.",
	"audiences":                           "With the capability audiences, POST /v1/audience answers addresses; an unknown team is 404 not_found.",
	"create":                              "create makes one alert for a key, with the status queued, no teams and layer 0. The same key again changes nothing; the same key in another integration is another alert. Before, GET /v1/alerts/{key} is 404 not_found.",
	"route":                               "route to a new team opens the alert and pages layer 1 of round 1. Routing to the teams it has changes nothing, whatever the layer: else people would be paged twice.",
	"route to a team with nobody on call": "route to a team with nobody on call in any layer makes the alert dropped; else the caller would wait for nobody. An acknowledgement still counts then.",
	"acknowledge":                         "acknowledge sets the status acknowledged and adds one acknowledgement with an id, the user and the time. The first stands: a second one, by whomever, changes nothing.",
	"whose acknowledgement it is":         "The member command of an acknowledgement is the number of the command that made it, or absent.",
	"acknowledgement without a person":    "acknowledge for a user that does not exist is 404 not_found and changes nothing.",
	"decline":                             "decline notes that a user passes this turn; when everybody of a layer declined, the next layer is paged. It changes nothing for somebody who is not being paged. A platform without it answers 501 unsupported.",
	"reopen an acknowledgement":           "reopen with ack takes back the acknowledgement of that id, and the alert is open again and its layer paged. An id that is gone or never was changes nothing; a later acknowledgement by the same person has a new id.",
	"reopen what is over":                 "reopen without ack opens what is resolved or dropped, without acknowledgements, and changes nothing else.",
	"escalate":                            "escalate leaves the layer of the round that it names for the next with anybody on call. It changes nothing if the alert is on another layer or round, is not open, or there is no later layer: a late command must not skip one.",
	"resolve":                             "resolve resolves from every status and stays: a later acknowledge changes nothing.",
	"commands for what is unknown":        "A command for an alert that does not exist is 404 not_found, route to an unknown team too, and an unknown kind of command is 501 unsupported. Each with a problem document whose kind is final: everything else is repeated for a day.",
	"every command twice":                 "The same number again changes nothing and answers 200 with the alert as it is.",
	"redelivery after a crash":            "All earlier commands again, in order, change nothing: their numbers are not greater than last_command.",
	"one old command again":               "An old command alone, sent again after later ones, changes nothing: number <= last_command, answer 200 with the alert as it is. Looking only whether the command would have an effect now is not enough.",
	"snapshots tell the last command":     "last_command is the number of the last command, also of one that had no effect. A caller waits until it is there.",
	"hints":                               "Each command is followed by a hint, within the time given, that names tenant, integration and alert_key; what is read then includes the command.",
	"deadlines":                           "Requests whose sender has gone end, and none of them fails for good.",
	"concurrent creation":                 "Eight creations of one key at the same time make one alert: lock the alert, or let the database's unique key decide and read again.",
	"concurrent sessions":                 "Commands on different alerts at the same time do not disturb each other, and no alert loses one.",
	Tolerance:                             "What can be used is used, and the rest left out: such as telephone numbers that cannot be called, and teams that are listed twice.",
}
