package api

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

// describe answers with the description of the whole API.
func (m *Manage) describe(w http.ResponseWriter, _ *http.Request, _ settle.Caller) error {
	doc, err := m.openAPI()
	if err != nil {
		return err
	}
	door.WriteJSON(w, "application/json", http.StatusOK, doc)
	return nil
}

// openAPI describes the routes in OpenAPI 3.1.
func (m *Manage) openAPI() (schema, error) {
	named := schemas{}
	paths := map[string]schema{}
	for _, x := range m.routes() {
		op, err := operation(x, named)
		if err != nil {
			return nil, fmt.Errorf("api: %s %s: %w", x.method, x.path, err)
		}
		if paths[x.path] == nil {
			paths[x.path] = schema{}
		}
		paths[x.path][strings.ToLower(x.method)] = op
	}
	problem, err := schemaOf(reflect.TypeFor[door.ProblemJSON](), named)
	if err != nil {
		return nil, err
	}
	refusal := func(says string) schema {
		return schema{"description": says, "content": schema{"application/problem+json": schema{"schema": problem}}}
	}
	return schema{
		"openapi": "3.1.0",
		"info": schema{"title": "Doorward management API", "version": "1",
			"description": "On the host over the socket in the data directory; elsewhere with an access token of an administrator. Every change is in the ledger with who made it."},
		"paths":    paths,
		"security": []schema{{"administrator": []string{}}},
		"components": schema{
			"schemas": named,
			"securitySchemes": schema{"administrator": schema{"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
				"description": "An access token of the built-in client doorward, of a person who is an administrator."}},
			"responses": schema{
				"refused":     refusal("Refused: the check says which rule did not hold."),
				"unavailable": refusal("The database did not answer in time. Ask again after Retry-After."),
			},
		},
	}, nil
}

func operation(x route, named schemas) (schema, error) {
	out, err := schemaOf(reflect.TypeOf(x.out), named)
	if err != nil {
		return nil, err
	}
	media := "application/json"
	if x.stream {
		media = linesMedia
	}
	answers := schema{
		strconv.Itoa(max(x.status, http.StatusOK)): schema{"description": "Done.", "content": schema{media: schema{"schema": out}}},
		"default": schema{"$ref": "#/components/responses/refused"},
		"503":     schema{"$ref": "#/components/responses/unavailable"},
	}
	if x.also != 0 {
		answers[strconv.Itoa(x.also)] = schema{"description": "Begun, and not done yet.", "content": schema{media: schema{"schema": out}}}
	}
	for status, says := range refusals(x.checks()) {
		answers[strconv.Itoa(status)] = schema{"description": says, "content": schema{"application/problem+json": schema{"schema": schema{"$ref": "#/components/schemas/Problem"}}}}
	}
	op := schema{"operationId": x.name, "summary": x.says, "tags": []string{tag(x.name)}, "responses": answers}
	var params []schema
	for _, part := range strings.Split(x.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			params = append(params, schema{"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": schema{"type": "string"}})
		}
	}
	for _, q := range x.query {
		params = append(params, schema{"name": q, "in": "query", "description": parameters[q], "schema": schema{"type": "string"}})
	}
	if len(params) > 0 {
		op["parameters"] = params
	}
	if x.in != nil {
		in, err := schemaOf(reflect.TypeOf(x.in), named)
		if err != nil {
			return nil, err
		}
		media := "application/json"
		if x.lines {
			media = linesMedia
		}
		op["requestBody"] = schema{"required": true, "content": schema{media: schema{"schema": in}}}
	}
	if x.local {
		op["description"] = "On the host's socket only."
	}
	return op, nil
}

// linesMedia is JSON lines: a JSON document on each line.
const linesMedia = "application/jsonl"

func tag(name string) string {
	group, _, _ := strings.Cut(name, ".")
	return group
}

// refusals groups checks by the status that a refusal of theirs has. Those
// that the outside does not learn of stand under what it does learn.
func refusals(checks []*check.Check) map[int]string {
	ids := map[int][]string{}
	for _, c := range checks {
		if status := door.Status(c.Fault); c.Shown != "" && !slices.Contains(ids[status], c.Shown) {
			ids[status] = append(ids[status], c.Shown)
		}
	}
	out := map[int]string{}
	for status, list := range ids {
		var lines []string
		for _, id := range list {
			says := id
			if c := check.Named(id); c != nil {
				says += ": " + c.Title
			}
			lines = append(lines, says)
		}
		out[status] = strings.Join(lines, "\n")
	}
	return out
}
