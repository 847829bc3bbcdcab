package app

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Problem is one reason not to start, on one line.
type Problem struct {
	// Line and Column count from 1; they are 0 outside the file.
	Line   int    `json:"line,omitzero"`
	Column int    `json:"column,omitzero"`
	Source Source `json:"source,omitzero"`
	Key    string `json:"key,omitzero"`
	Says   string `json:"says"`
}

// In writes the problem with the name of the file that was read.
func (p Problem) In(file string) string {
	where := ""
	switch {
	case p.Line > 0:
		where = fmt.Sprintf("%s:%d:%d: ", file, p.Line, p.Column)
	case p.Source == FromEnvironment && strings.HasPrefix(p.Key, prefix):
		where = "environment "
	case p.Source == FromEnvironment:
		where = "environment " + variable(p.Key) + ": "
	case p.Source == FromFlag:
		where = "flag --" + strings.ReplaceAll(p.Key, "_", "-") + ": "
	}
	return where + strings.TrimSpace(printable(p.Key)+" "+p.Says)
}

// printable is a key as it can stand in a line: quoted TOML keys hold anything.
func printable(key string) string {
	if quoted := strconv.Quote(key); quoted != `"`+key+`"` {
		return quoted
	}
	return key
}

// Load makes the configuration from the bytes of the TOML file, the
// environment (DOORWARD_SESSION_IDLE for session.idle; an empty variable
// counts as not set) and the flags by key (ops_listen for --ops-listen). A
// flag wins over the environment, that over the file, that over the default.
// The configuration is to be used only when there is no problem.
func Load(file []byte, env, flags map[string]string) (Config, []Problem) {
	var c Config
	known := settings()
	values, problems := readFile(file, known)
	problems = append(problems, layer(values, FromEnvironment, env, known)...)
	problems = append(problems, layer(values, FromFlag, flags, known)...)

	bad := map[string]bool{}
	for _, p := range problems {
		bad[p.Key] = true
	}
	for _, s := range known {
		v, given := values[s.key]
		if !given {
			v = raw{text: s.standard, source: FromDefault}
		}
		if bad[s.key] || !given && s.standard == "" {
			continue
		}
		if s.only != "" && v.source != s.only {
			problems = append(problems, Problem{Line: v.line, Column: v.column, Source: v.source, Key: s.key, Says: "is a secret and comes from the " + string(s.only) + " alone: " + variable(s.key) + ", or a file named by " + variable(s.key) + "_FILE"})
			continue
		}
		if says := s.read(&c, v.text); says != "" {
			problems = append(problems, Problem{Line: v.line, Column: v.column, Source: v.source, Key: s.key, Says: says})
		}
	}
	if len(problems) == 0 {
		for _, p := range c.together() {
			v := values[p.Key]
			p.Line, p.Column, p.Source = v.line, v.column, v.source
			problems = append(problems, p)
		}
	}
	c.Values = show(c, known, values)
	return c, problems
}

// A raw is a value as written, in the text form that flags have.
type raw struct {
	text         string
	source       Source
	line, column int
}

// layer lays a source of plain texts over the values. Flags are ours, so one
// that is not a key cannot be. The environment is everybody's (a container
// platform sets DOORWARD_PORT and the like): a stranger there is refused only
// where it looks like a misspelt key.
func layer(values map[string]raw, source Source, given map[string]string, known []setting) (problems []Problem) {
	for _, s := range known {
		name := s.key
		if source == FromEnvironment {
			name = variable(s.key)
		}
		if text, ok := given[name]; ok && (text != "" || source == FromFlag) {
			values[s.key] = raw{text: text, source: source}
		}
	}
	if source != FromEnvironment {
		return nil
	}
	names := make([]string, len(known))
	for i, s := range known {
		names[i] = variable(s.key)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !strings.HasPrefix(name, prefix) || slices.Contains(names, name) {
			continue
		}
		if near := nearest(name, names); near != "" {
			problems = append(problems, Problem{Source: FromEnvironment, Key: name, Says: "is not a setting: did you mean " + near + "?"})
		}
	}
	return problems
}

// prefix marks our variables in the environment.
const prefix = "DOORWARD_"

// variable is the name of a key in the environment.
func variable(key string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// show lists every setting with its source, without its password.
func show(c Config, known []setting, values map[string]raw) []Value {
	shown := make([]Value, 0, len(known))
	for _, s := range known {
		v, given := values[s.key]
		if !given {
			v = raw{text: s.standard, source: FromDefault}
		}
		switch {
		case given:
		case s.key == "database":
			v.text = c.Database
		case s.key == "keys.kek_file":
			v.text = c.Keys.KEKFile
		}
		if s.secret {
			v.text = withoutPassword(v.text)
		}
		if s.only != "" && given {
			v.text = "(hidden)"
		}
		shown = append(shown, Value{Key: s.key, Value: v.text, Source: v.source})
	}
	return shown
}

// Secrets puts in place of each DOORWARD_..._FILE that stands for a secret
// setting what the file holds, less a line's end, and keeps of the environment
// only what begins with DOORWARD_.
func Secrets(environ []string, read func(path string) ([]byte, error)) (map[string]string, []Problem) {
	env := map[string]string{}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && strings.HasPrefix(name, prefix) {
			env[name] = value
		}
	}
	var problems []Problem
	for _, s := range settings() {
		name := variable(s.key)
		path := env[name+"_FILE"]
		// DOORWARD_KEYS_KEK_FILE is the setting keys.kek_file: that file is read
		// again when its key was rotated.
		if !s.secret || path == "" || slices.ContainsFunc(settings(), func(o setting) bool { return variable(o.key) == name+"_FILE" }) {
			continue
		}
		delete(env, name+"_FILE")
		held, err := read(path)
		switch {
		case err != nil:
			problems = append(problems, Problem{Source: FromEnvironment, Key: s.key, Says: "cannot be read: " + err.Error()})
		case env[name] != "":
			problems = append(problems, Problem{Source: FromEnvironment, Key: s.key, Says: "is set twice: " + name + " and " + name + "_FILE"})
		default:
			env[name] = strings.TrimRight(string(held), "\r\n")
		}
	}
	return env, problems
}
