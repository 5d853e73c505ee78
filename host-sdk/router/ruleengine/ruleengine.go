// Package ruleengine lets the routers of an embedded platform's file use the rule language of host-sdk/router. It stands
// beside the language so that the language itself knows no platform.
//
//	embedded.Config{Rules: ruleengine.New(), …}
package ruleengine

import (
	"errors"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/router"
)

// maxCached bounds the compiled routers that are kept: a file has few, and a changed file brings new ones.
const maxCached = 64

// Engine implements [embedded.RuleEngine]. It keeps compiled rules by their text, and may be used by many goroutines.
type Engine struct {
	mu       sync.Mutex
	compiled map[string]*router.Router
}

var _ embedded.RuleEngine = (*Engine)(nil)

// New makes an engine.
func New() *Engine { return &Engine{compiled: map[string]*router.Router{}} }

// Check implements [embedded.RuleEngine]. Receivers are not checked: the file knows its teams and routers.
func (e *Engine) Check(rules []byte) []embedded.RuleProblem {
	_, problems := router.ParseJSON(rules, nil)
	out := make([]embedded.RuleProblem, 0, len(problems))
	for _, p := range problems {
		out = append(out, embedded.RuleProblem{Pointer: p.Pointer, Message: p.Message, Warning: p.Warning})
	}
	return out
}

// Evaluate implements [embedded.RuleEngine].
func (e *Engine) Evaluate(rules, facts []byte, at time.Time) (embedded.RuleVerdict, error) {
	r, err := e.router(rules)
	if err != nil {
		return embedded.RuleVerdict{}, err
	}
	v, err := r.EvaluateJSON(facts, at)
	if err != nil {
		return embedded.RuleVerdict{}, err
	}
	return embedded.RuleVerdict{Receivers: v.Receivers, Rule: v.Rule, Notes: v.Notes}, nil
}

func (e *Engine) router(rules []byte) (*router.Router, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.compiled[string(rules)]; r != nil {
		return r, nil
	}
	r, problems := router.ParseJSON(rules, nil)
	if r == nil {
		for _, p := range problems {
			if !p.Warning {
				return nil, errors.New(p.String())
			}
		}
	}
	if len(e.compiled) >= maxCached {
		clear(e.compiled)
	}
	e.compiled[string(rules)] = r
	return r, nil
}
