package web

import (
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/edge/door"
	"github.com/doorward/doorward/internal/edge/web/ui"
)

var (
	activityTemplate = ui.Load(files, "parts.html", "account/nav.html", "account/deeds.html", "account/activity.html")
	storyTemplate    = ui.Load(files, "parts.html", "account/nav.html", "account/deeds.html", "account/story.html")
)

// ActivityPage is /account/activity.
type ActivityPage struct {
	ui.Shell
	Kind  string // the filter: a key of kinds
	Deeds []Deed // the newest first
	Older string // the address of the next page; empty when there is none
}

// Title heads the page.
func (ActivityPage) Title() ui.Message { return ui.Say("activity.title") }

// Section marks the place in the navigation.
func (ActivityPage) Section() string { return "activity" }

// Render writes the page.
func (p ActivityPage) Render(w io.Writer) error { return activityTemplate.Render(w, p.Lang, p) }

// A Filter is one choice of what the page shows.
type Filter struct {
	Name    ui.Message
	At      string
	Current bool
}

// kinds are what activity is filtered by, in the order they are offered.
var kinds = []struct {
	key  string
	name ui.Message
}{
	{"", ui.Say("activity.all")}, {"signin", ui.Say("activity.signin")}, {"change", ui.Say("activity.change")},
	{"refused", ui.Say("activity.refused")}, {"admin", ui.Say("activity.admin")},
}

// Filters are the choices.
func (p ActivityPage) Filters() []Filter {
	out := make([]Filter, len(kinds))
	for i, k := range kinds {
		out[i] = Filter{Name: k.name, At: activityFrom(k.key, ""), Current: k.key == p.Kind}
	}
	return out
}

func activityFrom(kind, before string) string {
	q := url.Values{}
	if kind != "" {
		q.Set("kind", kind)
	}
	if before != "" {
		q.Set("before", before)
	}
	if len(q) == 0 {
		return activityAt
	}
	return activityAt + "?" + q.Encode()
}

const activityAt = "/account/activity"

// StoryPage is /account/sessions/{id}: what happened in one session.
type StoryPage struct {
	ui.Shell
	ui.Form
	Session Session
	Now     time.Time
	Over    bool   // it has ended
	Deeds   []Deed // in order
}

// Title heads the page.
func (p StoryPage) Title() ui.Message {
	return ui.Say("story.title", "device", named(p.Session.Device))
}

// Section marks the place in the navigation.
func (StoryPage) Section() string { return "sessions" }

// Render writes the page.
func (p StoryPage) Render(w io.Writer) error { return storyTemplate.Render(w, p.Lang, p) }

// A Deed is one exchange in words.
type Deed struct {
	At      time.Time
	Until   time.Time // the last of several that are told as one
	Says    ui.Message
	Refused bool
	Why     string // the sentence of the check that failed
	Check   string
	Ref     string
	IP      string
	Story   string   // where the story of its session is; empty when there is none
	NotMe   string   // where to say so; empty where it makes no sense
	App     string   // the application that took part; empty for our own pages
	Held    []string // what was checked and held, in words
}

// did and not are the sentences of an exchange that passed and of one that was refused. They are looked up by the
// exchange's name, so the words of all of them stand in one place.
const (
	did = "did."
	not = "refused."
)

// Sentences are the ids of the words that a person reads of an exchange.
func Sentences(of *check.Exchange) []string { return []string{did + of.Name, not + of.Name} }

// deed puts an entry into words.
func (v *visit) deed(e ledger.Entry) Deed {
	d := Deed{At: e.At, Refused: e.Refused, Ref: e.Ref, App: v.appNamed(e.Client)}
	id := did
	if e.Refused {
		id = not
	}
	if e.Exchange == nil || !ui.Knows(id+e.Exchange.Name) {
		d.Says = ui.Say("activity.unknown")
	} else if id += e.Exchange.Name; ui.Takes(id, "from") {
		d.Says = ui.Say(id, "from", v.from(e))
	} else {
		d.Says = ui.Say(id)
	}
	if e.Actor == "" {
		d.IP = e.Personal.IP
	}
	for _, s := range e.Steps {
		if s.Held {
			d.Held = append(d.Held, s.Check.Says)
		} else if d.Check == "" {
			d.Why, d.Check = s.Check.Title, s.Check.ID
		}
	}
	return d
}

// appNamed is what an application is called; nothing for our own pages, and for one that is gone.
func (v *visit) appNamed(id string) string {
	if id == "" || id == client.BuiltIn {
		return ""
	}
	if v.apps == nil {
		v.apps = map[string]string{}
	}
	name, known := v.apps[id]
	if !known {
		// A name that cannot be read now is left out: the story is true without it.
		c, _ := v.exchange.App(v.ctx(), id)
		if name = ""; c.Exists() {
			name = nameOf(c)
		}
		v.apps[id] = name
	}
	return name
}

// from is where an exchange came from, as one phrase.
func (v *visit) from(e ledger.Entry) ui.Message {
	device := session.Named(e.Personal.UserAgent)
	if place := v.exchange.Policy().Place(e.Personal.IP).String(); place != "" {
		return ui.Say("activity.near", "device", device, "place", place)
	}
	return ui.Say("activity.device", "device", device)
}

// kindOf sorts an entry under one of the kinds.
func kindOf(e ledger.Entry) string {
	name := ""
	if e.Exchange != nil {
		name = e.Exchange.Name
	}
	switch {
	case e.Refused:
		return "refused"
	case e.Actor != "":
		return "admin"
	case strings.HasPrefix(name, "signin."), strings.HasPrefix(name, "stepup."), strings.HasPrefix(name, "session."), name == "signout", name == "refresh":
		return "signin"
	}
	return "change"
}

// routine says whether an entry is of no interest: somebody was asked for a fresh proof, and that is all.
func routine(e ledger.Entry) bool {
	for _, s := range e.Steps {
		if !s.Held {
			return s.Check.Fault == fault.Stale
		}
	}
	return false
}

func (v *visit) showActivity() error {
	q, err := door.Params(v.r, "kind", "before")
	if err != nil {
		return err
	}
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(activityAt, err)
	}
	kind := q.Get("kind")
	before, err := ledger.ParseID(q.Get("before"))
	if err != nil && q.Get("before") != "" || !knownKind(kind) {
		return check.Refuse(door.Query)
	}
	all, err := v.exchange.Sessions(v.ctx(), who)
	if err != nil {
		return err
	}
	stands := map[string]bool{}
	for _, s := range all {
		stands[s.ID.String()] = s.ID != who.Session.ID
	}
	entries, next, err := v.exchange.Activity(v.ctx(), who, before, func(e ledger.Entry) bool {
		return !routine(e) && (kind == "" || kindOf(e) == kind)
	})
	if err != nil {
		return err
	}
	page := ActivityPage{Shell: v.shell(), Kind: kind}
	for _, e := range entries {
		d := v.deed(e)
		if !e.Session.IsZero() && e.Session != who.Session.ID {
			d.Story = Session{ID: e.Session.String()}.StoryPath()
		}
		if id := e.Session.String(); stands[id] && kindOf(e) == "signin" {
			d.NotMe = Session{ID: id}.UnknownPath()
		}
		page.Deeds = append(page.Deeds, d)
	}
	if !next.IsZero() {
		page.Older = activityFrom(kind, next.String())
	}
	return v.show(page)
}

func knownKind(key string) bool {
	for _, k := range kinds {
		if k.key == key {
			return true
		}
	}
	return false
}

// folded is how many renewals in a row are told as one.
const folded = 3

func (v *visit) showStory() error {
	if _, err := door.Params(v.r); err != nil {
		return err
	}
	target, _ := session.ParseID(v.r.PathValue("id"))
	who, err := v.who()
	if err != nil || !who.Exists() {
		return v.toSignIn(Session{ID: v.r.PathValue("id")}.StoryPath(), err)
	}
	s, entries, err := v.exchange.Story(v.ctx(), who, target)
	if err != nil {
		return err
	}
	page := StoryPage{Shell: v.shell(), Session: v.row(who, s), Now: v.now(), Over: session.Judge(s, who.User, v.now()) != session.Live}
	for len(entries) > 0 {
		n := renewals(entries)
		if n < folded {
			n = 1
		}
		d := v.deed(entries[0])
		if n > 1 {
			d = Deed{At: entries[0].At, Until: entries[n-1].At, Says: ui.Say("story.renewed", "n", n)}
		}
		page.Deeds, entries = append(page.Deeds, d), entries[n:]
	}
	return v.show(page)
}

// renewals is how many entries at the front are refresh tokens traded as they should be.
func renewals(entries []ledger.Entry) (n int) {
	for _, e := range entries {
		if e.Refused || e.Exchange == nil || e.Exchange.Name != "refresh" {
			break
		}
		n++
	}
	return n
}
