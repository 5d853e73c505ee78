package goalertsim

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

//go:embed schema.graphql
var schemaText string

// loadSchema is the schema of a version.
func loadSchema(v Version) (*ast.Schema, error) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: schemaText})
	if err != nil || v == Head {
		return schema, err
	}
	for _, def := range schema.Types {
		var fields ast.FieldList
		for _, f := range def.Fields {
			if f.Directives.ForName("head") == nil {
				fields = append(fields, f)
			}
		}
		def.Fields = fields
	}
	return schema, nil
}

// apiError is an error of the server, as in the answer's "errors".
type apiError struct{ message, code string }

// Error implements error.
func (e apiError) Error() string { return e.message }

// fail is an error with a text that was observed.
func fail(message string) error { return apiError{message: message} }

// failUnspecified is an error whose text was not observed.
func failUnspecified(format string, args ...any) error {
	return apiError{message: unspecified(format, args...)}
}

// graphqlRequest is the body of a request. Query may be missing with an API key.
type graphqlRequest struct {
	Query         *string        `json:"query"`
	OperationName string         `json:"operationName"`
	Variables     map[string]any `json:"variables"`
}

// graphqlAnswer is the body of an answer.
type graphqlAnswer struct {
	Errors gqlerror.List `json:"errors,omitempty"`
	Data   any           `json:"data"`
}

// graphql serves POST /api/graphql.
func (s *Sim) graphql(w http.ResponseWriter, r *http.Request) {
	who, ok := s.callerOf(r)
	if !ok {
		http.Error(w, "unauthorized", http.StatusUnauthorized)
		return
	}
	var req graphqlRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		s.refuse(w, "a GraphQL request that is not JSON: "+err.Error())
		return
	}
	answer, err := s.answer(who, req)
	if what := (openError{}); errors.As(err, &what) {
		s.refuse(w, what.what)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// answer runs a request. Its error is an openError; what the server refuses is in the answer.
func (s *Sim) answer(who caller, req graphqlRequest) (graphqlAnswer, error) {
	text := req.Query
	if who.key != nil {
		if text != nil && *text != "" && *text != who.key.document {
			return graphqlAnswer{Errors: gqlerror.List{{
				Message: "wrong query for API key", Extensions: map[string]any{"code": "invalid_query"},
			}}}, nil
		}
		text = &who.key.document
	}
	if text == nil {
		return graphqlAnswer{}, open("a session's request without a query")
	}
	doc, err := s.document(*text)
	if err != nil {
		return graphqlAnswer{}, err
	}
	op := doc.Operations.ForName(req.OperationName)
	if op == nil {
		return graphqlAnswer{}, open("the operation name %q, which the document does not have", req.OperationName)
	}
	vars, err := validator.VariableValues(s.schema, op, req.Variables)
	if err != nil {
		return graphqlAnswer{}, open("how wrong variables are refused: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &execution{Sim: s, who: who, vars: vars, loaded: map[string]bool{}}
	data, err := x.operation(op)
	return graphqlAnswer{Data: data, Errors: x.errors}, err
}

// document parses a document and notes what it assumes. What the schema does not have is open.
func (s *Sim) document(text string) (*ast.QueryDocument, error) {
	doc, problems := gqlparser.LoadQueryWithRules(s.schema, text, rules.NewDefaultRules())
	if len(problems) > 0 {
		return nil, open("this in a document: %v", problems)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var events validator.Events
	events.OnField(func(_ *validator.Walker, f *ast.Field) {
		if f.Definition.Directives.ForName("assumed") != nil {
			s.assumed[fmt.Sprintf("the field %s.%s as %s", f.ObjectDefinition.Name, f.Name, f.Definition.Type)] = true
		}
	})
	events.OnVariable(func(_ *validator.Walker, v *ast.VariableDefinition) {
		if v.Definition.Directives.ForName("assumed") != nil {
			s.assumed["the type name "+v.Definition.Name] = true
		}
	})
	validator.Walk(s.schema, doc, &events)
	return doc, nil
}
