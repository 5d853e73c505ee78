package outbox

// Statements of claims and lanes, for a test that asks the database how it runs them.
const (
	SelectReady = selectReady
	SelectWork  = selectWork
	SelectKnown = selectKnown
	SelectFirst = selectFirst
)
