// Package router is the rule language by which an incident-management platform chooses teams: a
// YAML list of rules, each with a match and actions; the first rule that matches wins, and its
// assign actions name the receivers.
//
//	rules:
//	  - match:
//	      $timeBetween: {timezone: America/New_York, starttime: "08:00 am", endtime: "05:00 pm"}
//	      call.country: US
//	    actions:
//	      - {type: assign, receiver: tem_support}
//
// A rule sees facts: always (true), alert, log (data and headers of the request), log_parsed, and
// call (from, to, country and so on, in a live call). What they hold is the caller's affair; a
// missing fact is simply missing.
//
// The language is that of PagerTree's routers (PagerTree docs: routers): the query operators of
// sift, strictly typed, with three functions of time, $day, $now and $timeBetween. Matching agrees
// with sift 17.1.4 and time formats agree with moment; what sift accepts but nobody can mean is
// refused when rules are read, by line:
//
//   - an operator without a field at the top of a match, a $-operator inside a value that is
//     compared as a whole, lists under $not and inside $all, an operand of a type that can never
//     match;
//   - $where, which runs a program, and regular-expression flag v.
//
// And a mapping with a null, such as {a: null}, never equals one that has another key instead, as
// sift would have it.
//
// # Patterns
//
// Patterns are written as in ECMAScript and run by Go's regexp, whose time is linear in the length
// of the text: there is no time limit, so a busy machine decides as an idle one does. What is
// translated and what differs is listed in internal/ecmascript: flag i folds case as with flags iu,
// with flag m a line ends with \n alone, and a pattern sees characters, never half of a surrogate
// pair.
//
// Look-ahead, look-behind, back-references, a repetition of more than 1000 and patterns of more
// than 10,000 instructions are not supported: they are an error with rule, line and construct.
//
// The package is pure: it reads no clock, no file and no network. A [Router] may be used by many
// goroutines.
//
// # Map
//
//	router.go    Router, Problem, Parse: the document, its rules and actions
//	evaluate.go  Verdict, Evaluate: facts in, receivers and notes out
//	query.go     a match becomes tests; everything that can be wrong with it
//	operators.go the operators: the operands they take and what they mean
//	walk.go      dotted paths into facts
//	value.go     equality, order and numbers as ECMAScript has them
//	clock.go     $day, $now and $timeBetween
//	zone.go      IANA zones by name in any case
//	internal/ecmascript ECMAScript patterns for Go's regexp
//	internal/moment     moment's format tokens
package router
