package drill

import (
	"html/template"
	"io"
)

// page is a report as one file that loads nothing.
var page = template.Must(template.New("report").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Drill of {{.Target}}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
li { margin: .5rem 0 }
b { font-variant-numeric: tabular-nums }
small, code { opacity: .8 }
section { border-left: .25rem solid; padding-left: 1rem; margin: 1rem 0 }
</style>
<h1>Drill of {{.Target}}</h1>
<p>{{.Held}} held · {{.Broke}} broke · {{.Skipped}} skipped · {{.Requests}} requests</p>
{{range .Results}}<section id="{{.ID}}">
<h2>{{if eq .Outcome "BROKE"}}✕{{else if eq .Outcome "held"}}✓{{else}}·{{end}} {{.ID}} <small>{{.Group}} · {{.Outcome}}</small></h2>
<p>{{.Tries}}</p>
{{with .What}}<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>
{{end}}{{with .Seen}}<p><small>{{.}}</small></p>
{{end}}<p><small>{{range .Of}}{{.}} {{end}}{{range .Expects}}<code>{{.}}</code> {{end}}</small></p>
</section>
{{end}}{{with .Left}}<h2>Left behind</h2>
<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>
{{end}}</html>
`))

// HTML writes the report as a page. It holds no secret: what went wrong is told
// by what was tried and how it was answered.
func (r Report) HTML(w io.Writer) error { return page.Execute(w, r) }
