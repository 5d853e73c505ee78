package callflow

// The documentation's picture of the call is drawn from the table, so that it cannot be wrong.
//go:generate go run ./diagramdoc ../../../docs/call-flow.md
