package router

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Limits of a document. They keep one router from slowing down the calls of all.
const (
	MaxBytes   = 64 << 10 // of a document
	MaxDepth   = 32       // maps and lists inside one another
	MaxValues  = 20_000   // values in a document, aliases counted where they are used
	MaxRules   = 500
	MaxPattern = 1000 // characters of a regular expression
)

// Router is a list of rules that passed every check.
type Router struct {
	rules []rule
}

// Rules is the number of rules.
func (r *Router) Rules() int { return len(r.rules) }

type rule struct {
	match     test
	receivers []string
	skipped   []string // types of actions that do nothing here
}

// Problem is something wrong, or with Warning doubtful, in rules.
type Problem struct {
	Rule    int    // from 1; 0: the document as a whole
	Line    int    // from 1; 0: not known, as in rules that came as JSON
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

// Receivers says whether an id can receive calls, with or without a prefix (tem_, usr_, rtr_): nil, or the reason why not. The
// text of the error is shown to the person who wrote the rules.
type Receivers func(id string) error

// Parse reads a YAML document with the root key rules, or that list alone. All problems are reported, in the order of the text;
// the router is nil when one of them is [Fatal]. receivers may be nil: then any text is a receiver.
func Parse(document []byte, receivers Receivers) (*Router, []Problem) {
	root, problems := readYAML(document)
	return compile(root, problems, receivers)
}

// ParseNode is Parse of a part of a document that the caller has parsed: a list of rules, or a mapping with the key rules.
// Positions are those of the caller's document. Aliases are resolved within the part.
func ParseNode(part ast.Node, receivers Receivers) (*Router, []Problem) {
	root, problems := readAST(part)
	return compile(root, problems, receivers)
}

// ParseJSON is Parse of JSON. Problems have pointers but no lines.
func ParseJSON(document []byte, receivers Receivers) (*Router, []Problem) {
	root, problems := readJSON(document)
	return compile(root, problems, receivers)
}

// compiler turns a tree into rules and collects problems on the way.
type compiler struct {
	problems  []Problem
	receivers Receivers
	rule      int // from 1
}

func (c *compiler) errorf(n *node, format string, args ...any) {
	c.add(n, false, fmt.Sprintf(format, args...))
}

func (c *compiler) warnf(n *node, format string, args ...any) {
	c.add(n, true, fmt.Sprintf(format, args...))
}

func (c *compiler) add(n *node, warning bool, message string) {
	c.problems = append(c.problems, Problem{Rule: c.rule, Line: n.line, Column: n.column, Pointer: n.pointer, Message: message, Warning: warning})
}

func compile(root *node, problems []Problem, receivers Receivers) (*Router, []Problem) {
	c := &compiler{problems: problems, receivers: receivers}
	router := &Router{}
	if root != nil {
		if list := c.ruleList(root); list != nil {
			router.rules = c.compileRules(list)
		}
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if Fatal(c.problems) {
		return nil, c.problems
	}
	return router, c.problems
}

// ruleList finds the list of rules in a document.
func (c *compiler) ruleList(root *node) *node {
	if root.kind == mapNode {
		list := root.child("rules")
		for i, key := range root.keys {
			if key.text != "rules" {
				c.warnf(root.keys[i].at, "the key %q means nothing here: a router document has the one key rules", key.text)
			}
		}
		if list == nil {
			c.errorf(root, "the key rules is missing: begin with rules: and a list of rules")
			return nil
		}
		root = list
	}
	switch {
	case root.kind != listNode:
		c.errorf(root, "rules must be a list: begin each rule with - match:")
		return nil
	case len(root.items) == 0:
		c.errorf(root, "there is no rule: write at least one")
		return nil
	case len(root.items) > MaxRules:
		c.errorf(root, "there are %d rules, more than %d", len(root.items), MaxRules)
		return nil
	}
	relabel(root, "")
	return root
}

func (c *compiler) compileRules(list *node) []rule {
	rules := make([]rule, 0, len(list.items))
	last := 0 // the rule that always matches, from 1
	for i, n := range list.items {
		c.rule = i + 1
		if last > 0 {
			c.warnf(n, "is never reached: rule %d always matches", last)
		}
		r := c.compileRule(n)
		if last == 0 && alwaysMatches(n.child("match")) {
			last = i + 1
		}
		rules = append(rules, r)
	}
	c.rule = 0
	return rules
}

// alwaysMatches knows the two ways in which people write a catch-all.
func alwaysMatches(match *node) bool {
	if match == nil || match.kind != mapNode {
		return false
	}
	always := match.child("always")
	return len(match.keys) == 0 || len(match.keys) == 1 && always != nil && always.value == true
}

func (c *compiler) compileRule(n *node) rule {
	var r rule
	if n.kind != mapNode {
		c.errorf(n, "a rule must be a mapping with the keys match and actions")
		return r
	}
	for _, key := range n.keys {
		if key.text != "match" && key.text != "actions" {
			c.errorf(key.at, "unknown key %q: a rule has the keys match and actions", key.text)
		}
	}
	switch match := n.child("match"); {
	case match == nil:
		c.errorf(n, "the key match is missing: write match: {always: true} for a rule that always matches")
	case match.kind != mapNode:
		c.errorf(match, "match must be a mapping, such as always: true")
	default:
		r.match = c.query(match, rootContext)
	}
	switch actions := n.child("actions"); {
	case actions == nil:
		c.errorf(n, "the key actions is missing: write a list with at least one action, such as {type: assign, receiver: tem_support}")
	case actions.kind != listNode || len(actions.items) == 0:
		c.errorf(actions, "actions must be a list with at least one action")
	default:
		for _, a := range actions.items {
			c.action(&r, a)
		}
	}
	return r
}

// idleActions are the language's actions that mean nothing to a phone call: accepted, done by nobody.
var idleActions = []string{"aggregate", "ignore", "incident", "setval", "stakeholder"}

func (c *compiler) action(r *rule, n *node) {
	if n.kind != mapNode {
		c.errorf(n, "an action must be a mapping with the key type")
		return
	}
	kind := n.child("type")
	if kind == nil {
		c.errorf(n, "the action's type is missing: write type: assign")
		return
	}
	name, _ := kind.value.(string)
	switch {
	case name == "assign":
		c.assign(r, n)
	case slices.Contains(idleActions, name):
		c.warnf(kind, "the action %s does nothing for a call: only assign counts", name)
		r.skipped = append(r.skipped, name)
	default:
		c.errorf(kind, "unknown action %s: the actions are assign (the only one that counts for a call), %s", kind.show(), strings.Join(idleActions, ", "))
	}
}

func (c *compiler) assign(r *rule, n *node) {
	for _, key := range n.keys {
		switch key.text {
		case "type", "receiver":
		case "delay":
			c.warnf(key.at, "delay does nothing for a call: the caller is waiting")
		default:
			c.warnf(key.at, "the key %q means nothing to assign", key.text)
		}
	}
	receiver := n.child("receiver")
	if receiver == nil {
		c.errorf(n, "assign has no receiver: write receiver: and one id or a list of ids")
		return
	}
	ids := []*node{receiver}
	if receiver.kind == listNode {
		ids = receiver.items
		if len(ids) == 0 {
			c.errorf(receiver, "the list of receivers is empty")
		}
	}
	for _, id := range ids {
		text, ok := id.value.(string)
		text = strings.TrimSpace(text)
		if !ok || text == "" {
			c.errorf(id, "a receiver must be the id of a team or router as text, not %s", id.show())
			continue
		}
		if c.receivers != nil {
			if err := c.receivers(text); err != nil {
				c.errorf(id, "receiver %q: %v", text, err)
				continue
			}
		}
		r.receivers = append(r.receivers, text)
	}
}
