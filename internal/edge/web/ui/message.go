package ui

import (
	"embed"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed messages
var messages embed.FS

// A Message is a sentence of the catalogue with its arguments, put into words only when the page is rendered.
// The zero Message is empty.
type Message struct {
	id   string
	args []any // name, value, name, value ...
}

// Say makes a message: its id, then the name and value of each argument. The words hold {name} where the value
// goes. A string value is somebody else's words and is isolated in <bdi>; a time is shown as an hour; the integer
// "n" chooses the plural form; a Message stands for its own words.
func Say(id string, args ...any) Message { return Message{id, args} }

// Knows says whether there is a message without plural forms.
func Knows(id string) bool {
	_, ok := catalogues[English].words[id]
	return ok
}

// Takes says whether a message speaks of an argument.
func Takes(id, argument string) bool {
	return strings.Contains(catalogues[English].words[id], "{"+argument+"}")
}

// Pseudo is a made-up language of longer, accented words, for tests: what stays plain was not taken from the
// catalogue, and what breaks would break in German. Nobody is given it who asks.
const Pseudo = "en-XA"

var accents = strings.NewReplacer("a", "å", "e", "é", "i", "î", "o", "ö", "u", "û", "A", "Å", "E", "É", "I", "Î", "O", "Ö", "U", "Û")

func (c catalogue) pseudo() catalogue {
	out := catalogue{language.MustParse(Pseudo), map[string]string{}}
	for id, words := range c.words {
		if id == "page.dir" {
			out.words[id] = words
			continue
		}
		var b strings.Builder
		for words != "" {
			plain, rest, hole := strings.Cut(words, "{")
			b.WriteString(accents.Replace(plain))
			if words = rest; hole {
				name, after, _ := strings.Cut(rest, "}")
				b.WriteString("{" + name + "}")
				words = after
			}
		}
		if out.words[id] = b.String(); id != "time.months" {
			out.words[id] += strings.Repeat(" löng", 1+len(b.String())/16)
		}
	}
	return out
}

// spoken are the languages that people may ask for, English first.
var spoken, matcher = func() (tags []language.Tag, m language.Matcher) {
	tags = []language.Tag{language.English}
	for tag := range catalogues {
		if tag != English && tag != Pseudo {
			tags = append(tags, language.MustParse(tag))
		}
	}
	return tags, language.NewMatcher(tags)
}()

// Language is the catalogue for what a browser asks for (Accept-Language).
func Language(accept string) string {
	const longest = 1 << 10
	wanted, _, err := language.ParseAcceptLanguage(accept[:min(len(accept), longest)])
	if err != nil {
		return English
	}
	_, i, _ := matcher.Match(wanted...)
	return spoken[i].String()
}

// A catalogue is the words of one language by message id, flat: "signin.title".
type catalogue struct {
	tag   language.Tag
	words map[string]string
}

// catalogues by BCP 47 tag, one file each.
var catalogues = readCatalogues()

func readCatalogues() map[string]catalogue {
	all := map[string]catalogue{}
	files, err := fs.Glob(messages, "messages/*.toml")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		text, err := messages.ReadFile(file)
		if err != nil {
			panic(err) // compiled in
		}
		var tree map[string]any
		if err := toml.Unmarshal(text, &tree); err != nil {
			panic(fmt.Errorf("%s: %w", file, err)) // compiled in: any test of a page meets it
		}
		tag := strings.TrimSuffix(path.Base(file), ".toml")
		c := catalogue{language.MustParse(tag), map[string]string{}}
		c.add("", tree)
		all[tag] = c
	}
	all[Pseudo] = all[English].pseudo()
	return all
}

func (c catalogue) add(prefix string, tree map[string]any) {
	for key, value := range tree {
		switch value := value.(type) {
		case string:
			c.words[prefix+key] = value
		case map[string]any:
			c.add(prefix+key+".", value)
		default:
			panic(fmt.Errorf("message %s%s is not text", prefix, key))
		}
	}
}

var pluralForm = map[plural.Form]string{
	plural.Other: "other", plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many",
}

// find is the words for an id, by plural form where the message has forms.
func (c catalogue) find(id string, args []any) (string, error) {
	if words, ok := c.words[id]; ok {
		return words, nil
	}
	for i := 0; i+1 < len(args); i += 2 {
		if n, ok := args[i+1].(int); ok && args[i] == "n" {
			form := pluralForm[plural.Cardinal.MatchPlural(c.tag, n, 0, 0, 0, 0)]
			if words, ok := c.words[id+"."+form]; ok {
				return words, nil
			}
			if words, ok := c.words[id+".other"]; ok {
				return words, nil
			}
		}
	}
	return "", fmt.Errorf("no message %q", id)
}

// text is the function "t" of templates. An argument the words do not use, or one they miss, is an error: the
// sentence would be wrong.
func (c catalogue) text(id string, args ...any) (template.HTML, error) {
	words, err := c.find(id, args)
	if err != nil {
		return "", err
	}
	words = template.HTMLEscapeString(words) // braces survive
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		hole := fmt.Sprintf("{%v}", args[i])
		value, err := c.argument(args[i+1])
		if err != nil {
			return "", err
		}
		if hole != "{n}" && !strings.Contains(words, hole) {
			return "", fmt.Errorf("message %q has no %s", id, hole)
		}
		pairs = append(pairs, hole, value)
	}
	// Counted before the values are in, since a value may hold braces.
	if holes := strings.Count(words, "{"); holes > 0 {
		for i := 0; i < len(pairs); i += 2 {
			holes -= strings.Count(words, pairs[i])
		}
		if holes != 0 {
			return "", fmt.Errorf("message %q misses an argument", id)
		}
	}
	return template.HTML(strings.NewReplacer(pairs...).Replace(words)), nil
}

// plain is text where no element may stand. What a stranger wrote is escaped, so every tag is ours.
func (c catalogue) plain(id string, args ...any) (string, error) {
	words, err := c.text(id, args...)
	return html.UnescapeString(tag.ReplaceAllString(string(words), "")), err
}

var tag = regexp.MustCompile(`<[^>]*>`)

func (c catalogue) argument(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return "<bdi>" + template.HTMLEscapeString(v) + "</bdi>", nil
	case template.HTML:
		return string(v), nil
	case int:
		return strconv.Itoa(v), nil
	case time.Time:
		clock, err := c.clock(v)
		return string(clock), err
	case Message:
		words, err := c.say(v)
		return string(words), err
	}
	return "", fmt.Errorf("argument of type %T", v)
}

// say is the function "say" of templates: the words of a Message, nothing for the zero one.
func (c catalogue) say(m Message) (template.HTML, error) {
	if m.id == "" {
		return "", nil
	}
	return c.text(m.id, m.args...)
}

// clock and date name their zone, since the server does not know the reader's.
func (c catalogue) clock(t time.Time) (template.HTML, error) {
	return c.instant("clock", t)
}

func (c catalogue) date(t time.Time) (template.HTML, error) {
	return c.instant("date", t)
}

func (c catalogue) instant(form string, t time.Time) (template.HTML, error) {
	t = t.UTC()
	months := strings.Fields(c.words["time.months"])
	if len(months) != 12 {
		return "", fmt.Errorf("time.months has %d months", len(months))
	}
	words, ok := c.words["time."+form]
	if !ok {
		return "", fmt.Errorf("no message %q", "time."+form)
	}
	words = strings.NewReplacer("{clock}", t.Format("15:04"), "{day}", strconv.Itoa(t.Day()),
		"{month}", months[t.Month()-1], "{year}", strconv.Itoa(t.Year())).Replace(words)
	return template.HTML(`<time datetime="` + t.Format(time.RFC3339) + `">` + template.HTMLEscapeString(words) + `</time>`), nil
}

// Known lists the ids that begin with one of the prefixes.
func Known(prefixes ...string) (ids []string) {
	for id := range catalogues[English].words {
		for _, p := range prefixes {
			if strings.HasPrefix(id, p) {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return ids
}
