package ui

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// words by a template function or by Say, each with its id.
var usedIn = map[string]*regexp.Regexp{
	".html": regexp.MustCompile(`\b(?:t|plain) "([a-z_.]+)"`),
	".go":   regexp.MustCompile(`\bSay\("([a-z_.]+)"`),
}

var byExchange = regexp.MustCompile(`^(did|refused)\.`)

// forms of one message count as the message.
var pluralSuffix = regexp.MustCompile(`\.(zero|one|two|few|many|other)$`)

func TestEveryMessageIsUsedAndEveryUsedMessageExists(t *testing.T) {
	used := map[string]bool{"time.clock": true, "time.date": true, "time.months": true} // by the functions clock and date
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		pattern := usedIn[filepath.Ext(path)]
		if err != nil || pattern == nil || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range pattern.FindAllSubmatch(text, -1) {
			used[string(match[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(used) < 50 {
		t.Fatalf("only %d messages found in use: the search is broken", len(used))
	}
	for lang, c := range catalogues {
		exists := map[string]bool{}
		for id := range c.words {
			exists[pluralSuffix.ReplaceAllString(id, "")] = true
		}
		for _, id := range slices.Sorted(maps.Keys(used)) {
			if !exists[id] {
				t.Errorf("%s: no message %q", lang, id)
			}
		}
		for _, id := range slices.Sorted(maps.Keys(exists)) {
			if byExchange.MatchString(id) {
				continue // looked up by the name of an exchange: internal/app holds that each has its words
			}
			if !used[id] {
				t.Errorf("%s: message %q is not used", lang, id)
			}
		}
	}
}

func TestTheSourceLanguageIsThere(t *testing.T) {
	if _, ok := catalogues[English]; !ok {
		t.Fatal("no English")
	}
}

func testCatalogue() catalogue {
	c := catalogues[English]
	c.words = map[string]string{
		"plain": "Tom & Jerry's", "hello": "Hello {name}, {name}!", "until": "Until {time}.", "nested": "Press {button}.",
		"tokens.one": "{n} token", "tokens.other": "{n} tokens",
		"time.clock": "{clock} UTC", "time.months": catalogues[English].words["time.months"],
	}
	return c
}

func TestWords(t *testing.T) {
	noon := time.Date(2026, 11, 3, 13, 5, 0, 0, time.FixedZone("", 3600))
	for name, test := range map[string]struct {
		message Message
		want    string
	}{
		"empty":              {Message{}, ""},
		"its own signs":      {Say("plain"), "Tom &amp; Jerry&#39;s"},
		"a value is escaped": {Say("hello", "name", "<b>{n}</b>"), "Hello <bdi>&lt;b&gt;{n}&lt;/b&gt;</bdi>, <bdi>&lt;b&gt;{n}&lt;/b&gt;</bdi>!"},
		"one":                {Say("tokens", "n", 1), "1 token"},
		"none":               {Say("tokens", "n", 0), "0 tokens"},
		"an hour in UTC":     {Say("until", "time", noon), `Until <time datetime="2026-11-03T12:05:00Z">12:05 UTC</time>.`},
		"a message inside":   {Say("nested", "button", Say("plain")), "Press Tom &amp; Jerry&#39;s."},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := testCatalogue().say(test.message)
			if err != nil || string(got) != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestASentenceThatWouldBeWrongIsAnError(t *testing.T) {
	for name, message := range map[string]Message{
		"unknown":           Say("nothing.like.it"),
		"argument missing":  Say("hello"),
		"argument too many": Say("plain", "name", "Ana"),
		"argument no words": Say("hello", "name", 1.5),
		"plural without n":  Say("tokens"),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := testCatalogue().say(message); err == nil {
				t.Errorf("no error, but %q", got)
			}
		})
	}
}

// Every language says the same things: no message is missing, and each speaks
// of the same values as in English.
func TestEveryLanguageHasTheSameHoles(t *testing.T) {
	holes := func(words string) []string {
		all := regexp.MustCompile(`\{[a-z_]+\}`).FindAllString(words, -1)
		slices.Sort(all)
		return slices.Compact(all)
	}
	for lang, c := range catalogues {
		for id, words := range c.words {
			english, ok := catalogues[English].words[id]
			if !ok {
				english = catalogues[English].words[pluralSuffix.ReplaceAllString(id, ".other")]
			}
			if got, want := holes(words), holes(english); !slices.Equal(got, want) && !strings.HasSuffix(id, ".one") {
				t.Errorf("%s: %q speaks of %v, want %v", lang, id, got, want)
			}
		}
	}
}
