package ui

import (
	"embed"
	"html/template"
	"io"
	"io/fs"
)

//go:embed frame.html parts.html
var frame embed.FS

// English is the source language of the catalogue.
const English = "en"

// A Template is one page in every language of the catalogue. It is safe for concurrent use.
type Template struct {
	byLang map[string]*template.Template
}

// Load reads the files of one page into the common frame. The page defines "main", and may define "head" and
// "nav"; its data embeds [Shell] and has a method Title() Message. Pages are compiled in, so a bad one panics at start.
//
// Beside the usual functions templates have: t (words by id, with arguments), plain (the same without elements, for a title), say (a Message), clock and date
// (an instant), asset (the address of one of our files).
func Load(files fs.FS, patterns ...string) *Template {
	p := &Template{byLang: map[string]*template.Template{}}
	for lang, c := range catalogues {
		t := template.New("frame.html").Option("missingkey=error").Funcs(template.FuncMap{
			"t": c.text, "plain": c.plain, "say": c.say, "clock": c.clock, "date": c.date, "asset": AssetPath,
			"lang": func() string { return lang },
		})
		t = template.Must(t.ParseFS(frame, "frame.html", "parts.html"))
		p.byLang[lang] = template.Must(t.ParseFS(files, patterns...))
	}
	return p
}

// Render writes the page in the language asked for, else in English.
func (p *Template) Render(w io.Writer, lang string, page any) error {
	t, ok := p.byLang[lang]
	if !ok {
		t = p.byLang[English]
	}
	return t.Execute(w, page)
}
