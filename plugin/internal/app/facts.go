package app

import (
	"encoding/json"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
)

// flowFacts are the contract's facts in the call flow's words.
func flowFacts(f integration.Facts) callflow.Facts {
	out := callflow.Facts{
		Capabilities: callflow.Capabilities(f.Instance.Capabilities),
		Host:         callflow.HostState(f.Instance.State),
		Destinations: flowDestinations(f.Destinations),
	}
	if a := f.Alert; a != nil {
		s := &callflow.Snapshot{
			Status: callflow.AlertStatus(a.Status), Teams: a.Teams, Layer: a.Layer, Round: a.Round, LastCommand: a.LastCommand, ReadAt: a.ReadAt,
		}
		for _, k := range a.Acknowledgements {
			s.Acknowledgements = append(s.Acknowledgements, callflow.Ack{ID: k.ID, User: k.User, At: k.At})
		}
		out.Alert = s
	}
	for _, a := range f.Answers {
		if answer, ok := flowAnswer(a); ok {
			out.Answers = append(out.Answers, answer)
		}
	}
	return out
}

func flowDestinations(ds []integration.Destination) []callflow.Destination {
	var out []callflow.Destination
	for _, d := range ds {
		out = append(out, callflow.Destination{Router: d.Kind == integration.DestinationRouter, ID: d.ID, Name: d.Name, Missing: d.Missing})
	}
	return out
}

// questionID is a need as text: the answer that carries it tells by itself what was asked.
func questionID(n callflow.Need) string {
	id, err := json.Marshal(n)
	if err != nil {
		return "" // a struct of strings and a number does not fail
	}
	return string(id)
}

func flowAnswer(a integration.Answer) (callflow.Answer, bool) {
	var need callflow.Need
	if err := json.Unmarshal([]byte(a.ID), &need); err != nil {
		return callflow.Answer{}, false
	}
	out := callflow.Answer{Need: need}
	if a.Err != nil {
		// "no such user" is an answer; anything else is none
		out.NoAnswer = need.Kind != callflow.NeedUser || a.Err.Kind != integration.KindNotFound
		return out, true
	}
	switch need.Kind {
	case callflow.NeedRoute:
		if a.Route != nil {
			out.Route = &callflow.Route{
				Receivers: flowDestinations(a.Route.Receivers), Default: flowDestinations(a.Route.Default), Notes: a.Route.Notes,
			}
		}
		out.NoAnswer = a.Route == nil
	case callflow.NeedOnCall:
		for _, e := range a.OnCall {
			switch need.Layer {
			case e.Layer:
				out.OnCall = append(out.OnCall, flowUser(e.User))
			case 0: // all of them
				out.OnCall, out.Layers = append(out.OnCall, flowUser(e.User)), append(out.Layers, e.Layer)
			}
		}
	case callflow.NeedUser:
		if a.User != nil {
			u := flowUser(*a.User)
			out.User = &u
		}
	}
	return out, true
}

func flowUser(u integration.User) callflow.User {
	return callflow.User{ID: u.ID, Name: u.Name, Phones: u.Phones, OccupiedBy: u.OccupiedBy}
}

// questions are needs as the contract asks them. routing is what router rules see.
func questions(needs []callflow.Need, routing []byte) []integration.Question {
	var out []integration.Question
	for _, n := range needs {
		q := integration.Question{ID: questionID(n)}
		switch n.Kind {
		case callflow.NeedRoute:
			q.Kind, q.Router, q.Facts = integration.AskRoute, n.Router, routing
		case callflow.NeedOnCall:
			q.Kind, q.Team, q.Layer = integration.AskOnCall, n.Team, n.Layer
		case callflow.NeedUser:
			q.Kind, q.User = integration.AskUser, n.User
		}
		out = append(out, q)
	}
	return out
}
