// Package draft is what others are told of a call in one piece: the alert that it makes ([New]),
// the same as the rules of routers see it ([RoutingFacts]), and the mail about a message ([Mail]).
// The labels of fields are part of what rules and people's filters match, so they stay as they are.
package draft
