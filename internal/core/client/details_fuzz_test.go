package client

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

const payment = `{"type":"object","required":["type","amount","to"],"additionalProperties":false,"properties":{"type":{"const":"payment"},
	"amount":{"type":"object","required":["value","currency"],"properties":{"value":{"type":"string","pattern":"^[0-9]+$"},"currency":{"type":"string"}}},"to":{"type":"string","maxLength":40}}}`

// Whatever comes as authorization details, what is kept is JSON in one
// spelling, which is read again as itself.
func FuzzReadDetails(f *testing.F) {
	for _, text := range []string{`[{"type":"payment","amount":{"value":"12","currency":"EUR"},"to":"Shop"}]`, `[{"to":"Shop","type":"payment","n":1.50}]`, `[]`, `{}`, `[1]`, `[{"type":""}]`,
		`[{"type":"a","type":"b"}]`, `[{"type":"a","x":"\u202e"}]`, `[{"type":"a"},{"type":"a"}]`, strings.Repeat("[", 100)} {
		f.Add(text)
	}
	pay := DetailType{Name: "payment", Schema: payment, Says: "pay {amount.value} {amount.currency} to {to}"}
	f.Fuzz(func(t *testing.T, text string) {
		all, ok := ReadDetails(text)
		if !ok || len(all) == 0 {
			return
		}
		kept := DetailsJSON(TextsOf(all))
		again, ok := ReadDetails(string(kept))
		if len(kept) <= detailsLong && (!ok || len(again) != len(all)) || !jsontext.Value(kept).IsValid() {
			t.Fatalf("%q is kept as %q", text, kept)
		}
		for i, d := range all {
			if len(kept) <= detailsLong && again[i] != d {
				t.Errorf("%q has two spellings", d.Text)
			}
			if says := pay.Sentence(d); strings.ContainsAny(says, "\n\r\u202e\u2028") {
				t.Errorf("people read %q", says)
			}
			d.Members()
		}
	})
}

// A schema is looked up nowhere, and details are what it says (RFC 9396
// section 5).
func TestTypesOfDetails(t *testing.T) {
	for schema, good := range map[string]bool{payment: true, `{}`: true, `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}`: true,
		`{"$ref":"https://evil.example/schema.json"}`: false, `{"$ref":"file:///etc/passwd"}`: false, `{"$ref":"other.json"}`: false, `{"$defs":{"a":{}},"$ref":"#/$defs/a"}`: true,
		`{"type":7}`: false, `{"pattern":"("}`: false, `[]`: false, `true`: false, ``: false, `{"x":"` + strings.Repeat("x", schemaAtMost) + `"}`: false} {
		if _, ok := (DetailType{Name: "payment", Says: "pay", Schema: schema}).Valid(); ok != good {
			t.Errorf("%.60s is declared: %v", schema, ok)
		}
	}
	types := []DetailType{{Name: "payment", Schema: payment, Says: "pay {amount.value} {amount.currency} to {to} ({nothing})"}}
	c := Client{Settings: Settings{Asking: Asking{DetailTypes: []string{"payment", "gone"}}}}
	for text, good := range map[string]bool{`[{"type":"payment","amount":{"value":"12","currency":"EUR"},"to":"Shop"}]`: true, `[{"type":"payment"}]`: false, `[{"type":"gone"}]`: false, `[{"type":"other"}]`: false,
		`[{"type":"payment","amount":{"value":"x","currency":"EUR"},"to":"Shop"}]`: false, `[{"type":"payment","amount":{"value":"12","currency":"EUR"},"to":"Shop","more":1}]`: false} {
		all, ok := ReadDetails(text)
		if got := ok && c.MayDetail(all, types); got != good {
			t.Errorf("%s may be asked for: %v", text, got)
		}
		if good {
			if says := types[0].Sentence(all[0]); says != "pay 12 EUR to Shop (?)" {
				t.Errorf("people read %q", says)
			}
		}
	}
}
