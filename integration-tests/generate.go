package integrationtests

// The page of behaviours is written from the names of the tests, so that it cannot promise what no
// test holds.
//go:generate go run ./behavioursdoc .. ../docs/behaviours.md
