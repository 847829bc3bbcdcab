package sdkjs

import (
	"bytes"
	"compress/gzip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// The file is shipped as it is read, without a minifier, and still is small.
func TestSize(t *testing.T) {
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	_, _ = w.Write(Source)
	_ = w.Close()
	if most := 4 << 10; packed.Len() >= most {
		t.Errorf("doorward.js has %d bytes gzipped, not under %d", packed.Len(), most)
	}
}

func TestTypesAgree(t *testing.T) {
	types, err := os.ReadFile("doorward.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	values := regexp.MustCompile(`(?m)^export (?:async )?(?:function|const|let|class) (\w+)`)
	if js, ts := names(values, Source), names(values, types); len(js) == 0 || !slices.Equal(js, ts) {
		t.Errorf("doorward.js exports %v, doorward.d.ts declares %v", js, ts)
	}
	// The members of what createAuth returns, and those of the interface.
	_, returned, _ := strings.Cut(string(Source), "return Object.freeze({")
	_, declared, _ := strings.Cut(string(types), "export interface Auth {")
	declared, _, _ = strings.Cut(declared, "\n}")
	js := names(regexp.MustCompile(`(?m)^    (?:get |async )?(\w+)\(.*\{`), []byte(returned))
	ts := names(regexp.MustCompile(`(?m)^  (?:readonly )?(\w+)[(:]`), []byte(declared))
	js = slices.DeleteFunc(js, func(s string) bool { return s == "if" || s == "for" })
	if len(js) == 0 || !slices.Equal(js, ts) {
		t.Errorf("createAuth returns %v, the types say %v", js, ts)
	}
}

func names(pattern *regexp.Regexp, text []byte) []string {
	var out []string
	for _, m := range pattern.FindAllSubmatch(text, -1) {
		out = append(out, string(m[1]))
	}
	slices.Sort(out)
	return out
}

// What the page loads is the whole of it: no dependency, no install script.
func TestPackage(t *testing.T) {
	text, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	var p map[string]any
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	for name := range p {
		if strings.Contains(strings.ToLower(name), "dependencies") || name == "scripts" {
			t.Errorf("package.json has %s", name)
		}
	}
	if regexp.MustCompile(`(?m)^\s*import\b|\bimport\(`).Match(Source) {
		t.Error("doorward.js imports something")
	}
	for _, file := range p["files"].([]any) {
		if _, err := os.Stat(file.(string)); err != nil {
			t.Error(err)
		}
	}
}

// Pages that state the hash state that of this very file: the handbook too.
func TestIntegrity(t *testing.T) {
	text, err := os.ReadFile("../docs/sdk-js.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `integrity="`+Integrity()+`"`) {
		t.Errorf("docs/sdk-js.md does not have integrity=%q", Integrity())
	}
}
