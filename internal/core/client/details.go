package client

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
)

// A DetailType is a type of authorization details (RFC 9396 section 2): what
// its objects look like, as a JSON Schema, and a sentence for people, in which
// {amount.value} stands for a member.
type DetailType struct {
	Name    string
	Schema  string // a JSON document
	Says    string
	Changed time.Time
}

// Exists says whether the row was found.
func (t DetailType) Exists() bool { return t.Name != "" }

// Bounds of details, and of what is declared.
const (
	DetailTypesAtMost = 100
	schemaAtMost      = 16 << 10
	detailsAtMost     = 16
	detailsLong       = 8 << 10
)

// Words that name the part of a declaration that was refused.
var (
	WordDetailType   = check.NewWord(274, "type")
	WordSchema       = check.NewWord(275, "schema")
	WordDetailSays   = check.NewWord(276, "says, a sentence")
	WordDetailsTypes = check.NewWord(277, "authorization_details_types")
)

// Checks of authorization details.
var (
	RequestDetails = check.New(check.Check{Number: 1052, ID: "request.details", Fault: fault.Unacceptable, Shown: "request.details", Code: "invalid_authorization_details",
		Says: "Every authorization detail is of a type that the application may ask for, and looks as that is declared.", Source: "RFC 9396 section 5",
		Title: "The application's authorization details are of a type that it may not ask for, or do not fit what was declared for it.", Stops: []string{"OAU-12"}})
	DetailsForm = check.New(check.Check{Number: 1053, ID: "details.form", Fault: fault.Unacceptable, Shown: "details.form",
		Says: "The type has a name, a JSON Schema that points to nothing elsewhere, and a sentence that people can read.", Source: "RFC 9396 section 2.1",
		Title: "This type of authorization details cannot be declared like this."})
	DetailsRoom = check.New(check.Check{Number: 1054, ID: "details.room", Fault: fault.Conflict, Shown: "details.room",
		Says: "There is room for another type of authorization details.", Source: "ASVS 15.2.2",
		Title: "Too many types of authorization details are declared."})
	DetailsFound = check.New(check.Check{Number: 1055, ID: "details.found", Fault: fault.Missing, Shown: "details.found",
		Says: "The type of authorization details is declared here.", Source: "RFC 9396 section 2.1",
		Title: "Nobody declared this type."})
)

// Valid judges a declaration and names the part it refuses.
func (t DetailType) Valid() (check.Word, bool) {
	switch {
	case !ValidScope(t.Name):
		return WordDetailType, false
	case !readable(t.Says, 300):
		return WordDetailSays, false
	case len(t.Schema) > schemaAtMost || !strings.HasPrefix(t.Schema, "{"):
		return WordSchema, false
	}
	if _, err := t.compile(); err != nil {
		return WordSchema, false
	}
	return 0, true
}

// nowhere loads no schema: what a declaration points to is in it, or is a
// standard's own.
type nowhere struct{}

func (nowhere) Load(string) (any, error) { return nil, errors.New("client: no schema is fetched") }

func (t DetailType) compile() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(t.Schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(nowhere{})
	c.AssertFormat()
	if err := c.AddResource("https://details.invalid/type.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("https://details.invalid/type.json")
}

// A Detail is one authorization detail, in the one spelling of its JSON (RFC
// 8785): two that mean the same are the same text.
type Detail struct{ Type, Text string }

// ReadDetails reads the parameter authorization_details.
func ReadDetails(text string) (out []Detail, ok bool) {
	if text == "" {
		return nil, true
	}
	var all []jsontext.Value
	if len(text) > detailsLong || json.Unmarshal([]byte(text), &all) != nil || len(all) == 0 || len(all) > detailsAtMost {
		return nil, false
	}
	for _, v := range all {
		var in struct {
			Type string `json:"type"`
		}
		if v.Kind() != '{' || json.Unmarshal(v, &in) != nil || in.Type == "" || v.Canonicalize() != nil {
			return nil, false
		}
		if d := (Detail{in.Type, string(v)}); !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out, true
}

// TextsOf are the texts of details, as they are kept.
func TextsOf(details []Detail) []string {
	var out []string
	for _, d := range details {
		out = append(out, d.Text)
	}
	return out
}

// DetailsJSON are kept details as the member authorization_details; nil when
// there are none.
func DetailsJSON(texts []string) jsontext.Value {
	if len(texts) == 0 {
		return nil
	}
	return jsontext.Value("[" + strings.Join(texts, ",") + "]")
}

// MayDetail says whether all of some details are of types that the application
// may ask for and that are declared, and look as that.
func (c Client) MayDetail(details []Detail, types []DetailType) bool {
	return !slices.ContainsFunc(details, func(d Detail) bool {
		i := slices.IndexFunc(types, func(t DetailType) bool { return t.Name == d.Type })
		return i < 0 || !slices.Contains(c.DetailTypes, d.Type) || !types[i].fits(d)
	})
}

func (t DetailType) fits(d Detail) bool {
	schema, err := t.compile()
	if err != nil {
		return false
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(d.Text))
	return err == nil && schema.Validate(v) == nil
}

var placeholder = regexp.MustCompile(`\{([A-Za-z0-9_.-]+)\}`)

// Sentence is what people read of a detail.
func (t DetailType) Sentence(d Detail) string {
	return placeholder.ReplaceAllStringFunc(t.Says, func(p string) string {
		v := jsontext.Value(d.Text)
		for _, name := range strings.Split(p[1:len(p)-1], ".") {
			var members map[string]jsontext.Value
			if json.Unmarshal(v, &members) != nil {
				return "?"
			}
			v = members[name]
		}
		return spoken(v)
	})
}

// spoken is a value as it can stand in a sentence.
func spoken(v jsontext.Value) string {
	s := string(v)
	if v.Kind() == '"' && json.Unmarshal(v, &s) != nil {
		return "?"
	}
	if !readable(s, 120) {
		return "?"
	}
	return s
}

// Members are the members of a detail but its type, by name, as people read
// them.
func (d Detail) Members() (names, values []string) {
	var members map[string]jsontext.Value
	if json.Unmarshal([]byte(d.Text), &members) != nil {
		return nil, nil
	}
	for name := range members {
		if name != "type" && readable(name, 120) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		values = append(values, spoken(members[name]))
	}
	return names, values
}

// DeclareType says what a type looks like and means, from now on.
type DeclareType DetailType

// UndeclareType takes a type away: nobody may ask for it any more.
type UndeclareType struct{ Name string }

func (DeclareType) Changes() string   { return "detail_types" }
func (UndeclareType) Changes() string { return "detail_types" }
