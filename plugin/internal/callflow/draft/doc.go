// Package draft is what others are told of a caller before anything has happened: the alert that a
// call makes ([New]), and the same as the rules of routers see it ([RoutingFacts]). The labels of
// fields are part of what rules and people's filters match, so they stay as they are.
package draft
