package goalertsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// maxCalls is how many database calls one request may cause.
const maxCalls = 100

// arguments are those of a field, by name.
type arguments map[string]any

// object is a value of an object type: leaves, other objects, lists ([]any), and functions for what
// costs a database call or has arguments.
type object map[string]any

// lazy is a field that is computed when it is asked for.
type lazy func(x *execution, args arguments) (any, error)

// execution runs one operation, with the Sim locked.
type execution struct {
	*Sim
	who    caller
	vars   map[string]any
	calls  int
	loaded map[string]bool
	errors gqlerror.List
}

// errNull says that a field which is never null has no value, so its parent has none either.
var errNull = errors.New("null")

// tooManyCalls ends a request.
type tooManyCalls int

// Error implements error.
func (n tooManyCalls) Error() string {
	return fmt.Sprintf("external call limit reached for this request. Total calls: %d", int(n))
}

// call counts a database call.
func (x *execution) call() error {
	if x.calls++; x.calls > maxCalls {
		return tooManyCalls(x.calls)
	}
	return nil
}

// load counts the one call by which all objects of a kind are loaded together.
func (x *execution) load(kind string) error {
	if x.loaded[kind] {
		return nil
	}
	x.loaded[kind] = true
	return x.call()
}

// operation runs an operation. Its error is an openError.
func (x *execution) operation(op *ast.OperationDefinition) (any, error) {
	root, def := queries, x.schema.Query
	if op.Operation == ast.Mutation {
		root, def = mutations, x.schema.Mutation
	}
	fields := object{"__schema": object{
		"queryType": object{"name": "Query"}, "mutationType": object{"name": "Mutation"}, "subscriptionType": nil,
	}}
	for name, f := range root {
		fields[name] = f
	}
	data, err := x.selection(fields, def, op.SelectionSet, nil)
	switch what := (openError{}); {
	case err == nil:
		return data, nil
	case errors.As(err, &what):
		return nil, err
	default: // x.errors says why there is no data
		return nil, nil
	}
}

// member is a field of an answer, members are in the order of the request.
type member struct {
	key   string
	value any
}

type members []member

// MarshalJSON implements json.Marshaler.
func (m members) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		key, _ := json.Marshal(f.key)
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// selection answers the fields of an object. Its error says that the object has no value.
func (x *execution) selection(o object, def *ast.Definition, set ast.SelectionSet, path ast.Path) (members, error) {
	answer, seen := members{}, map[string]bool{}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.FragmentSpread:
			part, err := x.selection(o, def, sel.Definition.SelectionSet, path)
			if err != nil {
				return nil, err
			}
			answer = append(answer, part...)
		case *ast.InlineFragment:
			return nil, open("inline fragments")
		case *ast.Field:
			if len(sel.Directives) > 0 {
				return nil, open("the directive @%s", sel.Directives[0].Name)
			}
			if seen[sel.Alias] {
				return nil, open("the field %s twice in one selection", sel.Alias)
			}
			seen[sel.Alias] = true
			value, err := x.field(o, def, sel, append(append(ast.Path{}, path...), ast.PathName(sel.Alias)))
			if err != nil {
				return nil, err
			}
			answer = append(answer, member{sel.Alias, value})
		}
	}
	return answer, nil
}

// field answers one field.
func (x *execution) field(o object, def *ast.Definition, f *ast.Field, path ast.Path) (any, error) {
	if f.Name == "__typename" {
		return def.Name, nil
	}
	value, ok := o[f.Name]
	if !ok {
		return nil, open("the field %s.%s", def.Name, f.Name)
	}
	var err error
	if compute, ok := value.(lazy); ok {
		value, err = compute(x, f.ArgumentMap(x.vars))
	}
	limit, what := tooManyCalls(0), openError{}
	switch {
	case errors.As(err, &what):
		return nil, err
	case errors.As(err, &limit): // the whole request is refused
		x.errors = gqlerror.List{{Message: err.Error(), Path: path}}
		return nil, err
	case err != nil:
		x.fail(err, path)
		if f.Definition.Type.NonNull {
			return nil, errNull
		}
		return nil, nil
	}
	return x.complete(f.Definition.Type, value, f.SelectionSet, path)
}

// fail adds an error to the answer.
func (x *execution) fail(err error, path ast.Path) {
	e := &gqlerror.Error{Message: err.Error(), Path: path}
	if own := (apiError{}); errors.As(err, &own) && own.code != "" {
		e.Extensions = map[string]any{"code": own.code}
	}
	x.errors = append(x.errors, e)
}

// complete answers a value of a type.
func (x *execution) complete(typ *ast.Type, value any, set ast.SelectionSet, path ast.Path) (any, error) {
	if value == nil {
		if typ.NonNull {
			x.fail(errors.New("goalertsim: null for "+typ.String()), path)
			return nil, errNull
		}
		return nil, nil
	}
	switch v := value.(type) {
	case []any:
		all := make([]any, len(v))
		for i, element := range v {
			var err error
			if all[i], err = x.complete(typ.Elem, element, set, append(append(ast.Path{}, path...), ast.PathIndex(i))); err != nil {
				return nil, err
			}
		}
		return all, nil
	case object:
		answer, err := x.selection(v, x.schema.Types[typ.Name()], set, path)
		if errors.Is(err, errNull) && !typ.NonNull {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return answer, nil
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	case map[string]string:
		return maps.Clone(v), nil
	default:
		return v, nil
	}
}

// list is a list of objects or leaves.
func list[T any](items []T, of func(T) any) []any {
	all := make([]any, 0, len(items))
	for _, item := range items {
		all = append(all, of(item))
	}
	return all
}

// input decodes the argument "input".
func input[T any](args arguments) (T, error) {
	var in T
	text, err := json.Marshal(args["input"])
	if err == nil {
		err = json.Unmarshal(text, &in)
	}
	if err != nil {
		return in, open("how this input is refused: %v", err)
	}
	return in, nil
}
