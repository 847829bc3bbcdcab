package api

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"unicode"
)

// A schema is JSON Schema 2020-12, as OpenAPI 3.1 has it.
type schema = map[string]any

// schemas are the named ones, by name.
type schemas map[string]schema

// schemaOf describes what a Go type is as JSON. Named structs are put into
// named and referred to.
func schemaOf(t reflect.Type, named schemas) (schema, error) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return schema{"type": "string", "format": "date-time"}, nil
	case t == reflect.TypeFor[map[string]any](), t == reflect.TypeFor[jsontext.Value]():
		return schema{"type": "object"}, nil
	}
	switch t.Kind() {
	case reflect.String:
		return schema{"type": "string"}, nil
	case reflect.Bool:
		return schema{"type": "boolean"}, nil
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return schema{"type": "integer"}, nil
	case reflect.Float64:
		return schema{"type": "number"}, nil
	case reflect.Pointer:
		return schemaOf(t.Elem(), named)
	case reflect.Map:
		values, err := schemaOf(t.Elem(), named)
		return schema{"type": "object", "additionalProperties": values}, err
	case reflect.Slice:
		items, err := schemaOf(t.Elem(), named)
		return schema{"type": "array", "items": items}, err
	case reflect.Struct:
		if t.Name() == "" {
			return object(t, named)
		}
		name := outside(t.Name())
		if _, done := named[name]; !done {
			named[name] = nil // a type that holds itself would not end
			s, err := object(t, named)
			if err != nil {
				return nil, err
			}
			named[name] = s
		}
		return schema{"$ref": "#/components/schemas/" + name}, nil
	}
	return nil, fmt.Errorf("no JSON is known for %s", t)
}

// outside is a type's name for others: what only says where it stands in this
// program is left out.
func outside(name string) string {
	name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(name, "managed"), "Out"), "JSON")
	return string(unicode.ToUpper(rune(name[0]))) + name[1:]
}

func object(t reflect.Type, named schemas) (schema, error) {
	properties, required := schema{}, []string{}
	if err := members(t, named, properties, &required); err != nil {
		return nil, err
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s, nil
}

// members collects those of a struct and of the structs embedded in it. One
// that may be left out says so in its tag.
func members(t reflect.Type, named schemas, properties schema, required *[]string) error {
	for f := range t.Fields() {
		if f.Anonymous {
			if err := members(f.Type, named, properties, required); err != nil {
				return err
			}
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			return fmt.Errorf("%s.%s has no name in JSON", t, f.Name)
		}
		s, err := schemaOf(f.Type, named)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", t, f.Name, err)
		}
		if says := f.Tag.Get("says"); says != "" {
			s["description"] = says
		}
		properties[name] = s
		if !strings.Contains(options, "omitzero") && !strings.Contains(options, "omitempty") {
			*required = append(*required, name)
		}
	}
	return nil
}
