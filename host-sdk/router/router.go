package router

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
	"github.com/livecallrouting/livecall/host-sdk/router/internal/ecmascript"
)

// Limits of a document. They keep one router from slowing down the calls of all.
const (
	MaxBytes     = 64 << 10 // of a document
	MaxDepth     = 32       // maps and lists inside one another
	MaxValues    = 20_000   // values in a document, aliases counted where they are used
	MaxRules     = 500
	MaxReceivers = 200                  // of a rule
	MaxPattern   = ecmascript.MaxLength // characters of a regular expression
)

// Router is a list of rules that passed every check. It is immutable, and may be used by many
// goroutines.
type Router struct {
	rules []rule
}

// Rules is the number of rules.
func (r *Router) Rules() int { return len(r.rules) }

// rule is one rule as it is tried.
type rule struct {
	match     test
	receivers []string // each once
	idle      []string // types of actions that do nothing here
}

// Problem is something wrong, or with Warning doubtful, in rules.
type Problem struct {
	Rule    int    // from 1; 0: the document as a whole
	Line    int    // from 1; 0: the document as a whole
	Column  int    // from 1
	Pointer string // JSON pointer below the list of rules, such as /0/match/$and/1
	Message string // plain words with a remedy
	Warning bool   // the rules can be used all the same
}

// String is "line:column: rule n: message".
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:%d: ", p.Line, p.Column)
	}
	if p.Rule > 0 {
		fmt.Fprintf(&b, "rule %d: ", p.Rule)
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Fatal reports whether any problem is more than a warning: then there is no router.
func Fatal(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

// Receivers says whether an id can receive calls, with or without a prefix (tem_, usr_, rtr_): nil,
// or the reason why not. The text of the error is shown to the person who wrote the rules.
type Receivers func(id string) error

// Parse reads a YAML document: a mapping with the key rules, or that list alone. All problems are
// reported, in the order of the text; the router is nil when one of them is [Fatal]. receivers may
// be nil: then any text is a receiver.
func Parse(document []byte, receivers Receivers) (*Router, []Problem) {
	// Before it is parsed, as parsing is what costs.
	if len(document) > MaxBytes {
		return nil, []Problem{{Message: fmt.Sprintf("the rules have %d bytes, more than %d", len(document), MaxBytes)}}
	}
	root, unreadable := yamltree.Parse(document, MaxValues)
	c := &compiler{receivers: receivers, patterns: &Patterns{}}
	for _, p := range unreadable {
		c.problems = append(c.problems, Problem{Line: p.Line, Column: p.Column, Message: p.Message})
	}
	if root == nil && len(unreadable) == 0 {
		c.problems = []Problem{{Message: "there is nothing here: begin with rules: and a list of rules"}}
	}
	return c.compile(root)
}

// Patterns limits the regular expressions of several routers that are in use together, which cost
// memory: the zero value allows as many as [Parse] does for one. It belongs to one goroutine.
type Patterns struct{ budget ecmascript.Budget }

// ParseNode is Parse of a part of a document that has been read already, such as a switchboard
// file. Lines are those of the whole document. patterns is the same for all routers of the
// document.
func ParseNode(rules *yamltree.Node, receivers Receivers, patterns *Patterns) (*Router, []Problem) {
	return (&compiler{receivers: receivers, patterns: patterns}).compile(rules)
}

// maxProblems is how many errors, and how many warnings, are reported one by one.
const maxProblems = 50

// compiler turns a tree into rules and collects problems on the way. It is used for one document
// and by one goroutine.
type compiler struct {
	problems  []Problem
	receivers Receivers
	patterns  *Patterns
	base      string // pointer of the list of rules
	rule      int    // from 1
}

// errorf reports a problem that makes the rules unusable.
func (c *compiler) errorf(n *yamltree.Node, format string, args ...any) {
	c.add(n, false, fmt.Sprintf(format, args...))
}

// warnf reports what is probably not meant.
func (c *compiler) warnf(n *yamltree.Node, format string, args ...any) {
	c.add(n, true, fmt.Sprintf(format, args...))
}

// add places a problem: by line for people, by pointer for programs.
func (c *compiler) add(n *yamltree.Node, warning bool, message string) {
	c.problems = append(c.problems, Problem{Rule: c.rule, Line: n.Line, Column: n.Column,
		Pointer: strings.TrimPrefix(n.Pointer, c.base), Message: message, Warning: warning})
}

// compile goes on after a problem, so that everything is reported at once. The router is nil if
// there is any error: half of the rules would send callers elsewhere without a word.
func (c *compiler) compile(root *yamltree.Node) (*Router, []Problem) {
	router := &Router{}
	if root != nil {
		if list := c.ruleList(root); list != nil {
			c.base = list.Pointer
			router.rules = c.compileRules(list)
		}
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if Fatal(c.problems) {
		router = nil
	}
	return router, firstOf(c.problems)
}

// firstOf cuts a list of problems and says how many there are more: whoever reads them corrects the
// first ones and checks again. Errors and warnings are counted apart, so that many warnings never
// hide an error.
func firstOf(problems []Problem) []Problem {
	var out []Problem
	number := map[bool]int{} // by whether they are warnings
	for _, p := range problems {
		if number[p.Warning]++; number[p.Warning] <= maxProblems {
			out = append(out, p)
		}
	}
	if more := number[false] - maxProblems; more > 0 {
		out = append(out, Problem{Message: fmt.Sprintf("… and %d more problems", more)})
	}
	if more := number[true] - maxProblems; more > 0 {
		out = append(out, Problem{Message: fmt.Sprintf("… and %d more warnings", more), Warning: true})
	}
	return out
}

// ruleList finds the list of rules in a document. It returns nil after a problem that leaves
// nothing to compile, such as too many rules: each would be reported one by one.
func (c *compiler) ruleList(root *yamltree.Node) *yamltree.Node {
	if root.Kind == yamltree.Map {
		list := root.Child("rules")
		for i, key := range root.Keys {
			if key.Name != "rules" {
				c.warnf(root.Keys[i].At, "the key %q means nothing here: a router document has the one key rules", yamltree.Shorten(key.Name))
			}
		}
		if list == nil {
			c.errorf(root, "the key rules is missing: begin with rules: and a list of rules")
			return nil
		}
		root = list
	}
	switch {
	case root.Kind != yamltree.List:
		c.errorf(root, "rules must be a list: begin each rule with - match:")
		return nil
	case len(root.Items) == 0:
		c.errorf(root, "there is no rule: write at least one")
		return nil
	case len(root.Items) > MaxRules:
		c.errorf(root, "there are %d rules, more than %d", len(root.Items), MaxRules)
		return nil
	}
	if values, depth := root.Measure(); values > MaxValues || depth > MaxDepth {
		c.errorf(root, "the rules have more than %d values or are nested more than %d deep", MaxValues, MaxDepth)
		return nil
	}
	return root
}

// compileRules also warns of rules behind one that always matches. They are no errors: people put
// such a rule in front for a while, on purpose.
func (c *compiler) compileRules(list *yamltree.Node) []rule {
	rules := make([]rule, 0, len(list.Items))
	last := 0 // the rule that always matches, from 1
	for i, n := range list.Items {
		c.rule = i + 1
		if last > 0 {
			c.warnf(n, "is never reached: rule %d always matches", last)
		}
		r := c.compileRule(n)
		if last == 0 && alwaysMatches(n.Child("match")) {
			last = i + 1
		}
		rules = append(rules, r)
	}
	c.rule = 0
	return rules
}

// alwaysMatches knows the two ways in which people write a catch-all. An empty match holds for
// every call, as there is nothing that could fail.
func alwaysMatches(match *yamltree.Node) bool {
	if match == nil || match.Kind != yamltree.Map {
		return false
	}
	always := match.Child("always")
	return len(match.Keys) == 0 || len(match.Keys) == 1 && always != nil && always.Value == true
}

// compileRule checks match and actions independently of each other. After a problem the rule may
// lack its test; no router is made then, so nobody runs it.
func (c *compiler) compileRule(n *yamltree.Node) rule {
	var r rule
	if n.Kind != yamltree.Map {
		c.errorf(n, "a rule must be a mapping with the keys match and actions")
		return r
	}
	for _, key := range n.Keys {
		if key.Name != "match" && key.Name != "actions" {
			c.errorf(key.At, "unknown key %q: a rule has the keys match and actions", yamltree.Shorten(key.Name))
		}
	}
	switch match := n.Child("match"); {
	case match == nil:
		c.errorf(n, "the key match is missing: write match: {always: true} for a rule that always matches")
	case match.Kind != yamltree.Map:
		c.errorf(match, "match must be a mapping, such as always: true")
	default:
		r.match = c.query(match, rootContext)
	}
	switch actions := n.Child("actions"); {
	case actions == nil:
		c.errorf(n, "the key actions is missing: write a list with at least one action, such as {type: assign, receiver: tem_support}")
	case actions.Kind != yamltree.List || len(actions.Items) == 0:
		c.errorf(actions, "actions must be a list with at least one action")
	default:
		for _, a := range actions.Items {
			c.action(&r, a)
		}
	}
	return r
}

// idleActions are the language's actions that mean nothing to a phone call: accepted, done by
// nobody.
var idleActions = []string{"aggregate", "ignore", "incident", "setval", "stakeholder"}

// action accepts the whole language of PagerTree's routers, so that existing rules can be taken
// over. An action that means nothing to a call is a warning: the rule still counts.
func (c *compiler) action(r *rule, n *yamltree.Node) {
	if n.Kind != yamltree.Map {
		c.errorf(n, "an action must be a mapping with the key type")
		return
	}
	kind := n.Child("type")
	if kind == nil {
		c.errorf(n, "the action's type is missing: write type: assign")
		return
	}
	name, _ := kind.Value.(string)
	switch {
	case name == "assign":
		c.assign(r, n)
	case slices.Contains(idleActions, name):
		c.warnf(kind, "the action %s does nothing for a call: only assign counts", name)
		r.idle = append(r.idle, name)
	default:
		c.errorf(kind, "unknown action %s: the actions are assign (the only one that counts for a call), %s", kind.Show(), strings.Join(idleActions, ", "))
	}
}

// assign collects receivers. Other keys are warnings: they mean something to PagerTree. Ids stay in
// written order, which is that of the verdict. A second mention of one counts for nothing.
func (c *compiler) assign(r *rule, n *yamltree.Node) {
	for _, key := range n.Keys {
		switch key.Name {
		case "type", "receiver":
		// It has a meaning of its own, so it gets a sentence of its own.
		case "delay":
			c.warnf(key.At, "delay does nothing for a call: the caller is waiting")
		default:
			c.warnf(key.At, "the key %q means nothing to assign", yamltree.Shorten(key.Name))
		}
	}
	receiver := n.Child("receiver")
	if receiver == nil {
		c.errorf(n, "assign has no receiver: write receiver: and one id or a list of ids")
		return
	}
	ids := []*yamltree.Node{receiver}
	if receiver.Kind == yamltree.List {
		ids = receiver.Items
		if len(ids) == 0 {
			c.errorf(receiver, "the list of receivers is empty")
		}
	}
	for _, id := range ids {
		text, ok := id.Value.(string)
		text = strings.TrimSpace(text)
		if !ok || text == "" {
			c.errorf(id, "a receiver must be the id of a team or router as text, not %s", id.Show())
			continue
		}
		if c.receivers != nil {
			if err := c.receivers(text); err != nil {
				c.errorf(id, "%v", err)
				continue
			}
		}
		if slices.Contains(r.receivers, text) {
			continue
		}
		if len(r.receivers) == MaxReceivers {
			c.errorf(id, "a rule has at most %d receivers", MaxReceivers)
			return
		}
		r.receivers = append(r.receivers, text)
	}
}
