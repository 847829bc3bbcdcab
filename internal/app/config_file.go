package app

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// readFile takes the values from the file, and every key that is none.
func readFile(file []byte, known []setting) (map[string]raw, []Problem) {
	values := map[string]raw{}
	var document map[string]any
	if err := toml.Unmarshal(file, &document); err != nil {
		p := Problem{Source: FromFile, Says: strings.TrimPrefix(err.Error(), "toml: ")}
		if at, ok := errors.AsType[*toml.DecodeError](err); ok {
			p.Line, p.Column = at.Position()
		}
		return values, []Problem{p}
	}
	var problems []Problem
	places := locate(file)
	refuse := func(key, says string) {
		at := places.of(key)
		problems = append(problems, Problem{Line: at.Line, Column: at.Column, Source: FromFile, Key: key, Says: says})
	}
	tables := map[string]bool{}
	names := make([]string, len(known))
	for i, s := range known {
		names[i] = s.key
		if table, _, nested := strings.Cut(s.key, "."); nested {
			tables[table] = true
		}
	}
	flatten(document, "", func(key string, value any) {
		i := slices.Index(names, key)
		if _, empty := value.(map[string]any); empty && tables[key] {
			return
		}
		if i < 0 {
			says := "is not a setting"
			if near := nearest(key, names); near != "" {
				says += ": did you mean " + near + "?"
			}
			refuse(key, says)
			return
		}
		text, says := known[i].fromTOML(value)
		if says != "" {
			refuse(key, says)
			return
		}
		at := places.of(key)
		values[key] = raw{text: text, source: FromFile, line: at.Line, column: at.Column}
	})
	slices.SortFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return values, problems
}

// flatten visits every value of a document by its dotted key, and tables that
// hold nothing, so that a misspelt empty table is seen too.
func flatten(table map[string]any, within string, visit func(key string, value any)) {
	for name, value := range table {
		if inner, ok := value.(map[string]any); ok && len(inner) > 0 {
			flatten(inner, within+name+".", visit)
			continue
		}
		visit(within+name, value)
	}
}

// fromTOML writes a value as a flag would, when it has the right type.
func (s setting) fromTOML(value any) (text, says string) {
	switch v := value.(type) {
	case string:
		if s.kind == number {
			return "", number.takes()
		}
		return v, ""
	case int64:
		switch s.kind {
		case number:
			return strconv.FormatInt(v, 10), ""
		case span:
			return "", fmt.Sprintf(`needs a unit: "%dm" or "%ds"`, v, v)
		}
	case []any:
		if s.kind != list {
			break
		}
		items := make([]string, len(v))
		for i, item := range v {
			one, ok := item.(string)
			if !ok || strings.Contains(one, ",") {
				return "", list.takes()
			}
			items[i] = one
		}
		return strings.Join(items, ","), ""
	}
	return "", s.kind.takes()
}

// places are where the keys of the file stand.
type places map[string]unstable.Position

// of is the position of a key, or of the table that holds it.
func (p places) of(key string) unstable.Position {
	for {
		if at, ok := p[key]; ok {
			return at
		}
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			return unstable.Position{}
		}
		key = key[:i]
	}
}

// locate finds the keys of a file that has already been read well.
func locate(file []byte) places {
	found := places{}
	var p unstable.Parser
	p.Reset(file)
	table := ""
	for p.NextExpression() {
		e := p.Expression()
		var names []string
		var at unstable.Position
		for it := e.Key(); it.Next(); {
			if names == nil {
				at = p.Shape(it.Node().Raw).Start
			}
			names = append(names, string(it.Node().Data))
		}
		key := strings.Join(names, ".")
		if e.Kind != unstable.KeyValue {
			table = key + "."
		} else {
			key = table + key
		}
		if _, again := found[key]; !again {
			found[key] = at
		}
	}
	return found
}
