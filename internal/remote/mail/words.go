package mail

import (
	"embed"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/doorward/doorward/internal/core/outbox"
)

//go:embed messages/*.toml
var messages embed.FS

// english is the source language of the catalogue.
const english = "en"

// catalogues by BCP 47 tag: the words of each mail by table and key.
var catalogues = readCatalogues()

func readCatalogues() map[string]map[string]map[string]string {
	all := map[string]map[string]map[string]string{}
	files, err := fs.Glob(messages, "messages/*.toml")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		text, err := messages.ReadFile(file)
		if err != nil {
			panic(err) // compiled in
		}
		var c map[string]map[string]string
		if err := toml.Unmarshal(text, &c); err != nil {
			panic(fmt.Errorf("%s: %w", file, err)) // compiled in: any test of a mail meets it
		}
		all[strings.TrimSuffix(path.Base(file), ".toml")] = c
	}
	return all
}

// Words puts messages into words, for one issuer.
type Words struct{ Issuer *url.URL }

var hole = regexp.MustCompile(`\{[a-z]+\}`)

// Render makes the mail of a message.
func (w Words) Render(m outbox.Message) (Mail, error) {
	c, ok := catalogues[m.Lang]
	if !ok {
		c = catalogues[english]
	}
	words, ok := c[m.Kind.String()]
	if !ok {
		return Mail{}, fmt.Errorf("mail: there are no words for %q", m.Kind)
	}
	facts := w.facts(m, c["frame"])
	subject, ok := fill(strings.TrimSpace(words["subject"]), facts)
	if !ok {
		return Mail{}, fmt.Errorf("mail: the subject of %q misses a fact", m.Kind)
	}
	var lines []string
	if greeting, ok := fill(c["frame"]["greeting"], facts); ok {
		lines = append(lines, greeting, "")
	}
	for line := range strings.Lines(strings.TrimSpace(words["text"]) + "\n") {
		said, ok := fill(strings.TrimRight(line, "\n"), facts)
		// A paragraph that was left out takes its empty line along.
		if ok && (said != "" || len(lines) > 0 && lines[len(lines)-1] != "") {
			lines = append(lines, said)
		}
	}
	why, _ := fill(c["frame"]["why"], facts)
	lines = append(lines, "", why)
	text := strings.Join(lines, "\n") + "\n"
	return Mail{ID: m.ID.String(), At: m.Created, Kind: m.Kind, To: m.To, Subject: subject, Text: text, HTML: w.asHTML(text)}, nil
}

// facts are what fills the holes of the words. A link leads to the issuer and
// nowhere else: what a request said of hosts takes no part (attack REC-03).
func (w Words) facts(m outbox.Message, frame map[string]string) map[string]string {
	f := map[string]string{"host": w.Issuer.Host, "to": m.To, "name": m.Facts.Name, "device": m.Facts.Device, "place": m.Facts.Place, "ip": m.Facts.IP,
		"how": m.Facts.How, "by": m.Facts.By, "mail": m.Facts.Mail, "app": m.Facts.App}
	if m.Facts.Link != "" {
		f["link"] = w.Issuer.Scheme + "://" + w.Issuer.Host + m.Facts.Link
	}
	if code := m.Facts.Code; len(code) == 8 {
		f["code"] = code[:4] + " " + code[4:]
	}
	if m.Facts.Count > 0 {
		f["count"] = strconv.Itoa(m.Facts.Count)
	}
	if f["device"] == "" && !m.Facts.When.IsZero() {
		f["device"] = frame["unknown_device"]
	}
	if f["app"] == "" && !m.Facts.When.IsZero() {
		f["app"] = frame["unknown_app"]
	}
	for name, t := range map[string]time.Time{"until": m.Facts.Until, "when": m.Facts.When} {
		if !t.IsZero() {
			f[name] = instant(t, frame)
		}
	}
	return f
}

func instant(t time.Time, frame map[string]string) string {
	t = t.UTC()
	months := strings.Fields(frame["months"])
	return strings.NewReplacer("{clock}", t.Format("15:04"), "{day}", strconv.Itoa(t.Day()), "{month}", months[t.Month()-1],
		"{year}", strconv.Itoa(t.Year())).Replace(frame["zone"])
}

// fill puts facts into a line; ok is false when the line speaks of a fact that
// there is not.
func fill(line string, facts map[string]string) (out string, ok bool) {
	ok = true
	out = hole.ReplaceAllStringFunc(line, func(h string) string {
		v := facts[strings.Trim(h, "{}")]
		ok = ok && v != ""
		return v
	})
	return out, ok
}

// asHTML is the same words as HTML: paragraphs, and addresses of the issuer as
// links. What else looks like an address was written by a stranger, as a name.
func (w Words) asHTML(text string) string {
	var b strings.Builder
	b.WriteString("<!doctype html>\n<html><body>\n")
	own := regexp.MustCompile(regexp.QuoteMeta(html.EscapeString(w.Issuer.Scheme+"://"+w.Issuer.Host)) + `/[A-Za-z0-9/_?=.\-]*`)
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		b.WriteString("<p>")
		for i, line := range strings.Split(paragraph, "\n") {
			if i > 0 {
				b.WriteString("<br>\n")
			}
			b.WriteString(own.ReplaceAllString(html.EscapeString(line), `<a href="$0">$0</a>`))
		}
		b.WriteString("</p>\n")
	}
	b.WriteString("</body></html>\n")
	return b.String()
}
