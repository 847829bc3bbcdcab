package http_test

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/doorward/doorward/test/rig"
)

// A description is the API's own of itself.
type description struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]map[string]any `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	ID         string `json:"operationId"`
	Parameters []struct {
		Name string `json:"name"`
		In   string `json:"in"`
	} `json:"parameters"`
	Body *struct {
		Content map[string]content `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Description string             `json:"description"`
		Content     map[string]content `json:"content"`
	} `json:"responses"`
}

type content struct {
	Schema map[string]any `json:"schema"`
}

func describe(t *testing.T, s *rig.Server) (d description) {
	t.Helper()
	a := s.Socket("GET", "/api/v1/openapi.json", nil).Want(t, 200)
	if err := json.Unmarshal(a.Body, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// fits says where a value is not what a schema says; "" when it is.
func (d description) fits(schema map[string]any, v any, at string) string {
	if ref, ok := schema["$ref"].(string); ok {
		named, there := d.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
		if !there {
			return at + ": " + ref + " is nowhere"
		}
		return d.fits(named, v, at)
	}
	switch want := schema["type"]; want {
	case "object":
		members, ok := v.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %T, not an object", at, v)
		}
		properties, closed := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, there := members[name.(string)]; !there {
				return fmt.Sprintf("%s.%s is missing", at, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if !closed {
				break
			}
			s, ok := properties[name].(map[string]any)
			if !ok {
				return fmt.Sprintf("%s.%s is not described", at, name)
			}
			if says := d.fits(s, members[name], at+"."+name); says != "" {
				return says
			}
		}
	case "array":
		items, ok := v.([]any)
		if !ok {
			return fmt.Sprintf("%s is %T, not an array", at, v)
		}
		for i, item := range items {
			if says := d.fits(schema["items"].(map[string]any), item, fmt.Sprintf("%s[%d]", at, i)); says != "" {
				return says
			}
		}
	case "string":
		text, ok := v.(string)
		if !ok {
			return fmt.Sprintf("%s is %T, not a string", at, v)
		}
		if _, err := time.Parse(time.RFC3339, text); schema["format"] == "date-time" && err != nil {
			return fmt.Sprintf("%s is %q, no instant", at, text)
		}
	case "integer", "number":
		if n, ok := v.(float64); !ok || want == "integer" && n != float64(int64(n)) {
			return fmt.Sprintf("%s is %v, not a %s", at, v, want)
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return fmt.Sprintf("%s is %T, not a boolean", at, v)
		}
	default:
		return fmt.Sprintf("%s: the schema has the type %v", at, want)
	}
	return ""
}

// judged holds an answer against what the operation says it may be.
func (d description) judged(t *testing.T, op operation, a rig.Answer) {
	t.Helper()
	said, there := op.Responses[strconv.Itoa(a.Status)]
	if !there {
		t.Errorf("%s answers %d, which is not described: %s", op.ID, a.Status, a.Body)
		return
	}
	media, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	of, there := said.Content[media]
	if !there {
		t.Errorf("%s answers %d as %s, not as described", op.ID, a.Status, media)
		return
	}
	documents := []string{string(a.Body)}
	if media == "application/jsonl" {
		documents = strings.Split(strings.TrimSpace(string(a.Body)), "\n")
	}
	for _, one := range documents {
		var v any
		if err := json.Unmarshal([]byte(one), &v); err != nil && one != "" {
			t.Errorf("%s: %v in %s", op.ID, err, a.Body)
			continue
		} else if one == "" {
			continue
		}
		if says := d.fits(of.Schema, v, op.ID); says != "" {
			t.Errorf("%s\n%s", says, one)
		}
		if refusal, _ := v.(map[string]any); a.Status >= 400 && !strings.Contains(said.Description, fmt.Sprint(refusal["check"])) {
			t.Errorf("%s: refused by %v, which is not described for %d", op.ID, refusal["check"], a.Status)
		}
	}
}

// Every operation that the API describes is called, well and badly, and every
// answer is what the description says.
func TestTheAPIIsAsItDescribesItself(t *testing.T) {
	rig.Both(t, func(t *testing.T, engine rig.Engine) {
		s := rig.Start(t, engine)
		ana, ben := s.User("ana"), s.User("ben")
		b := s.SignIn(ana)
		var signed tokens
		b.Do("GET", "/session", nil).Into(t, &signed)
		wrong := b.Try("POST", "/session", map[string]string{"email": ana.Email, "password": "not her password"})
		s.SignIn(ben)
		var work struct {
			Job struct {
				ID string `json:"id"`
			} `json:"job"`
		}
		s.Socket("POST", "/api/v1/sessions/end", map[string]string{"query": "user:" + ben.Email}).Into(t, &work)
		var drill struct {
			Nonce string `json:"nonce"`
		}
		s.Socket("POST", "/api/v1/drill", nil).Into(t, &drill)
		ref := wrong.Refusal(t).Ref
		// What stands for each name in a path, and the body that each operation
		// is called with; more than one, when one kind of answer is not all.
		names := map[string]string{"user": ben.Email, "users.delete.user": s.User("cid").Email, "sessions.id": signed.Session.ID, "ref": ref, "client": "doorward", "jobs.id": work.Job.ID, "nonce": drill.Nonce,
			"scope": "notes:read", "type": "payment", "federation": "fed_00000000000000000000000000"}
		for _, act := range []string{"edit", "rotate_secret", "retire_secret", "pause", "resume", "delete"} {
			id := "app-" + act
			names["clients."+act+".client"] = id
			s.Socket("POST", "/api/v1/clients", map[string]any{"client_id": id, "client_name": id, "doorward_type": "machine"}).Want(t, http.StatusCreated)
		}
		// What was never shared, described, declared or trusted is not taken back.
		// Of a job that is over, nothing is stopped or resumed; one who is paused
		// cannot be an administrator, and the only one cannot cease to be; there is
		// one key of the kind that is retired here, or none.
		mayRefuse := []string{"jobs.stop", "jobs.resume", "users.recover", "users.set_admin", "users.unset_admin", "setup.link", "keys.retire", "keys.rotate_kek", "clients.retire_secret",
			"clients.unshare", "scopes.undescribe", "details.undeclare", "federations.delete"}
		bodies := map[string][]any{
			"users.create":    {map[string]any{"email": "eva@example.com", "name": "Eva", "verified": true}},
			"users.recover":   {map[string]any{"print_link": false}},
			"users.edit":      {map[string]any{"name": "Ben O."}},
			"users.import":    {`{"email":"una@example.com"}` + "\n" + `{"email":"una@example.com"}` + "\n" + `{"email":"not an address"}` + "\n"},
			"keys.rotate":     {map[string]any{"purpose": "refresh"}},
			"keys.retire":     {map[string]any{"kid": "no such key"}},
			"keys.rotate_kek": {map[string]any{}},
			"clients.create":  {map[string]any{"client_id": "described", "client_name": "Described", "redirect_uris": []string{"https://app.example.com/"}}},
			"clients.edit":    {map[string]any{"client_name": "Edited", "scope": "notes:read"}},
			"sessions.end":    {map[string]any{"query": "user:" + ana.Email, "dry_run": true}},
		}
		var permit struct {
			ID string `json:"id"`
		}
		s.Socket("POST", "/api/v1/registration-tokens", map[string]any{}).Want(t, http.StatusCreated).Into(t, &permit)
		names["registration_tokens.token"] = permit.ID
		d := describe(t, s)
		seen := map[string]bool{}
		for path, methods := range d.Paths {
			for method, op := range methods {
				method = strings.ToUpper(method)
				if seen[op.ID] {
					t.Errorf("%s is there twice", op.ID)
				}
				seen[op.ID] = true
				good, bad := path, path
				for _, p := range op.Parameters {
					if p.In != "path" {
						continue
					}
					group, _, _ := strings.Cut(op.ID, ".")
					name := cmp.Or(names[op.ID+"."+p.Name], names[group+"."+p.Name], names[p.Name])
					if name == "" {
						t.Errorf("%s: the test knows nothing that {%s} could be", op.ID, p.Name)
					}
					good = strings.ReplaceAll(good, "{"+p.Name+"}", name)
					bad = strings.ReplaceAll(bad, "{"+p.Name+"}", "nobody@example.com")
				}
				if op.ID == "audit.tail" { // does not end by itself
					d.judged(t, op, s.Socket(method, path+"?q=colour:red", nil))
					continue
				}
				calls := bodies[op.ID]
				known := len(calls) > 0 || op.Body == nil
				if len(calls) == 0 {
					calls = []any{nil}
					if op.Body != nil {
						calls[0] = "{}"
					}
				}
				headers := []string{}
				if op.Body != nil {
					for media := range op.Body.Content {
						headers = append(headers, "Content-Type", media)
					}
				}
				for _, body := range calls {
					a := s.Socket(method, good, body, headers...)
					if a.Status/100 != 2 && known && !slices.Contains(mayRefuse, op.ID) {
						t.Errorf("%s: %s %s: %d %s", op.ID, method, good, a.Status, a.Body)
					}
					d.judged(t, op, a)
				}
				if op.Body != nil {
					d.judged(t, op, s.Socket(method, good, `{"surely_not_a_member":1}x`, headers...))
					d.judged(t, op, s.Socket(method, good, "x=1", "Content-Type", formMedia))
				}
				if bad != path {
					a := s.Socket(method, bad, calls[0], headers...)
					if a.Status/100 != 4 {
						t.Errorf("%s of nobody: %d %s", op.ID, a.Status, a.Body)
					}
					d.judged(t, op, a)
				}
			}
		}
	})
}

// The description is one that others can read: every reference leads
// somewhere, and the paths are those of the server.
func TestTheDescriptionIsWhole(t *testing.T) {
	s := rig.Start(t, rig.SQLite)
	a := s.Socket("GET", "/api/v1/openapi.json", nil).Want(t, http.StatusOK)
	var doc map[string]any
	if err := json.Unmarshal(a.Body, &doc); err != nil || doc["openapi"] != "3.1.0" {
		t.Fatalf("%v %v", doc["openapi"], err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case map[string]any:
			if ref, ok := x["$ref"].(string); ok {
				to := any(doc)
				for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
					m, _ := to.(map[string]any)
					to = m[part]
				}
				if to == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, inner := range x {
				walk(inner)
			}
		case []any:
			for _, inner := range x {
				walk(inner)
			}
		}
	}
	walk(doc)
}
