package api

import (
	"net/http"
	"reflect"

	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/edge/door"
)

// A route is one method at one address of the management API: what it is for,
// what it reads and answers, what may refuse it, and the handler. The API is
// mounted from the list of them, and described from it: what is not described
// is not there.
type route struct {
	method, path string
	name         string // of the operation: "users.create"
	says         string // one sentence for people
	query        []string
	in           any    // the body that is read, when there is one
	lines        bool   // the body is JSON lines of it, not one JSON document
	status       int    // of a yes; 200 when 0
	also         int    // another status of a yes, when there is one
	out          any    // the body that answers
	stream       bool   // the answer is JSON lines of it
	runs         string // the exchange whose checks may refuse it
	refuses      []string
	held         bool // it may hold its answer, and bounds itself
	local        bool // on the host's socket only
	open         bool // for everybody: it tells nothing of anybody
	fresh        bool // it asks for a fresh proof, as changes do
	do           func(http.ResponseWriter, *http.Request, settle.Caller) error
}

// parameters says what each parameter of a query means.
var parameters = map[string]string{
	"after":  "Only what comes after this one: the next of the page before.",
	"limit":  "At most so many.",
	"update": "With true: bring name and verified of people who are here already up to date.",
	"hashes": "With true: the hashes of their passwords too. On the host's socket only.",
	"q":      "Words of the query language, such as user:ana@example.com.",
}

// routes is the whole management API, in the order of its description.
func (m *Manage) routes() []route {
	return []route{
		{method: "GET", path: "/api/v1/openapi.json", name: "openapi", says: "This description.", open: true, out: map[string]any{}, do: m.describe},

		{method: "GET", path: "/api/v1/users", name: "users.list", says: "Lists people by id, a page at a time.", query: []string{"after", "limit"}, out: userPage{}, do: m.users},
		{method: "POST", path: "/api/v1/users", name: "users.create", says: "Makes a person.", in: newUser{}, status: http.StatusCreated, out: managedUser{}, runs: "user.create",
			refuses: []string{"password.capacity"}, do: m.createUser},
		{method: "GET", path: "/api/v1/users/{user}", name: "users.show", says: "Shows a person, named by id or e-mail address.", out: managedUser{}, refuses: []string{"user.found"}, do: m.user},
		{method: "POST", path: "/api/v1/users/{user}/pause", name: "users.pause", says: "Stops a person from everything: sessions and tokens end at once.", out: managedUser{}, runs: "user.pause",
			do: m.turned(m.Manage.PauseUser)},
		{method: "POST", path: "/api/v1/users/{user}/restore", name: "users.restore", says: "Lets a paused person sign in again.", out: managedUser{}, runs: "user.restore",
			do: m.turned(m.Manage.RestoreUser)},
		{method: "POST", path: "/api/v1/users/{user}/recover", name: "users.recover", says: "Sends a person a way back into their account, and tells its link when asked to.", in: recovery{}, out: recoveryOut{},
			runs: "user.recover", local: true, do: m.recover},
		{method: "PATCH", path: "/api/v1/users/{user}", name: "users.edit", says: "Changes a person's name, or whether their address is known to be theirs.", in: edited{}, out: managedUser{}, runs: "user.edit", do: m.editUser},
		{method: "POST", path: "/api/v1/users/{user}/set-admin", name: "users.set_admin", says: "Makes a person an administrator.", out: managedUser{}, runs: "admin.appoint", do: m.turned(m.Manage.Appoint)},
		{method: "POST", path: "/api/v1/users/{user}/unset-admin", name: "users.unset_admin", says: "Takes the role of administrator away; the last one keeps it.", out: managedUser{}, runs: "admin.dismiss",
			do: m.turned(m.Manage.Dismiss)},
		{method: "DELETE", path: "/api/v1/users/{user}", name: "users.delete", says: "Deletes a person's account at once, all that it holds with it; the last administrator's stays.", out: managedUser{},
			runs: "user.delete", do: m.deleteUser},
		{method: "POST", path: "/api/v1/users/import", name: "users.import", says: "Brings people in, one a line, at most a thousand; bad lines are told and the others imported.", query: []string{"update"},
			in: moved{}, lines: true, out: importResults{}, do: m.importUsers},
		{method: "GET", path: "/api/v1/users/export", name: "users.export", says: "Streams everybody, one a line.", query: []string{"hashes"}, out: moved{}, stream: true, runs: "users.export", held: true, fresh: true, do: m.exportUsers},

		{method: "POST", path: "/api/v1/users/invite", name: "users.invite", says: "Lets a person make their account by a link, which a mail carries.", in: newInvitation{}, status: http.StatusCreated,
			out: managedInvitation{}, runs: "user.invite", do: m.invite},
		{method: "POST", path: "/api/v1/setup-link", name: "setup.link", says: "Makes the link of the first administrator.", status: http.StatusCreated, out: setupOffer{}, runs: "setup.offer",
			local: true, do: m.setupLink},

		{method: "GET", path: "/api/v1/clients", name: "clients.list", says: "Lists the registered applications.", out: clientPage{}, do: m.clients},
		{method: "POST", path: "/api/v1/clients", name: "clients.create", says: "Registers an application, or a list of them, from client metadata (RFC 7591 section 2).", in: registration{},
			status: http.StatusCreated, out: registration{}, runs: "client.create", do: m.createClients},
		{method: "GET", path: "/api/v1/clients/{client}", name: "clients.show", says: "Shows an application, and what is known of its secrets.", out: managedClient{}, refuses: []string{"client.found"}, do: m.client},
		{method: "GET", path: "/api/v1/clients/{client}/test", name: "clients.test", says: "Says what a sign-in to an application would meet, with a link to try one.", out: rehearsal{}, refuses: []string{"client.found"}, do: m.testClient},
		{method: "PATCH", path: "/api/v1/clients/{client}", name: "clients.edit", says: "Changes what an application is registered with; what it may no longer have ends at once.", in: editedClient{}, out: managedClient{},
			runs: "client.edit", do: m.editClient},
		{method: "POST", path: "/api/v1/clients/{client}/rotate-secret", name: "clients.rotate_secret", says: "Makes an application's next secret, and tells it this once; the one before goes on working for a while.",
			in: secretRotation{}, out: managedClient{}, runs: "client.rotate_secret", do: m.rotateSecret},
		{method: "POST", path: "/api/v1/clients/{client}/retire-secret", name: "clients.retire_secret", says: "Ends an application's former secret before its time.", out: managedClient{}, runs: "client.retire_secret",
			do: m.clientTurned(m.Manage.RetireSecret)},
		{method: "POST", path: "/api/v1/clients/{client}/pause", name: "clients.pause", says: "Stops an application from everything: its tokens end at once.", out: managedClient{}, runs: "client.pause",
			do: m.clientTurned(m.Manage.PauseClient)},
		{method: "POST", path: "/api/v1/clients/{client}/resume", name: "clients.resume", says: "Lets a paused application ask again; what the pause ended stays ended.", out: managedClient{}, runs: "client.resume",
			do: m.clientTurned(m.Manage.ResumeClient)},
		{method: "DELETE", path: "/api/v1/clients/{client}", name: "clients.delete", says: "Deletes an application; what it was given ends at once, and its id is never given again.", out: clientEnded{}, runs: "client.delete", do: m.deleteClient},

		{method: "GET", path: "/api/v1/registration-tokens", name: "registration_tokens.list", says: "Lists the tokens by which applications register themselves, and never what they are.", out: permissionPage{}, do: m.permissions},
		{method: "POST", path: "/api/v1/registration-tokens", name: "registration_tokens.create", says: "Makes an initial access token (RFC 7591 section 3), and tells it this once.", in: newPermission{},
			status: http.StatusCreated, out: permission{}, runs: "client.permit", do: m.permit},
		{method: "DELETE", path: "/api/v1/registration-tokens/{token}", name: "registration_tokens.delete", says: "Takes an initial access token back; what was registered with it stays.", out: permission{}, runs: "client.withdraw", do: m.unpermit},

		{method: "GET", path: "/api/v1/federations", name: "federations.list", says: "Lists whose tokens machines may trade for their own.", out: federationPage{}, do: m.federations},
		{method: "POST", path: "/api/v1/federations", name: "federations.create", says: "Lets a machine trade the tokens of an issuer, where they carry certain claims, for its own.", in: federationIn{},
			status: http.StatusCreated, out: federationOut{}, runs: "federation.create", do: m.federate},
		{method: "DELETE", path: "/api/v1/federations/{federation}", name: "federations.delete", says: "Takes a federation away; what was got by it ends at once.", out: federationOut{}, runs: "federation.delete", do: m.unfederate},

		{method: "GET", path: "/api/v1/scopes", name: "scopes.list", says: "Lists permissions and what people read of them.", out: scopePage{}, do: m.scopes},
		{method: "PUT", path: "/api/v1/scopes/{scope}", name: "scopes.describe", says: "Says what a permission means to people.", in: scopeIn{}, out: scopeOut{}, runs: "scope.describe", do: m.describeScope},
		{method: "DELETE", path: "/api/v1/scopes/{scope}", name: "scopes.undescribe", says: "Takes the operator's words for a permission away.", out: scopeOut{}, runs: "scope.undescribe", do: m.undescribeScope},
		{method: "GET", path: "/api/v1/authorization-details-types", name: "details.list", says: "Lists the types of authorization details.", out: detailTypePage{}, do: m.detailTypes},
		{method: "PUT", path: "/api/v1/authorization-details-types/{type}", name: "details.declare", says: "Says what authorization details of a type look like, and mean to people.", in: detailTypeIn{}, out: detailTypeOut{}, runs: "details.declare", do: m.declareDetails},
		{method: "DELETE", path: "/api/v1/authorization-details-types/{type}", name: "details.undeclare", says: "Takes a type away.", out: detailTypeOut{}, runs: "details.undeclare", do: m.undeclareDetails},

		{method: "GET", path: "/api/v1/sessions", name: "sessions.list", says: "Lists sessions, the newest first.", query: []string{"q"}, out: sessionPage{}, refuses: []string{"query.form", "user.found", "client.found"}, held: true, do: m.sessions},
		{method: "GET", path: "/api/v1/sessions/{id}", name: "sessions.show", says: "Tells the story of a session: each exchange and its checks.", out: sessionStory{}, refuses: []string{"session.found"}, do: m.session},
		{method: "POST", path: "/api/v1/sessions/end", name: "sessions.end", says: "Ends one session, or every live one that a query selects.", in: ending{}, out: endOut{}, also: http.StatusAccepted,
			runs: "sessions.end", refuses: []string{"session.found"}, held: true, do: m.endSessions},
		{method: "POST", path: "/api/v1/users/{user}/end-tokens", name: "users.end_tokens", says: "Ends everything that a person holds: sessions, families and tokens.", out: endOut{}, runs: "user.end_tokens", do: m.endUser},
		{method: "POST", path: "/api/v1/clients/{client}/end-tokens", name: "clients.end_tokens", says: "Ends everything that an application was given.", out: clientEnded{}, runs: "client.end_tokens", do: m.endClient},

		{method: "POST", path: "/api/v1/clients/{client}/shared-secret", name: "clients.share", says: "Lets an application's tokens be signed by a secret that its one service shares, or by another one from now on.", in: sharing{},
			status: http.StatusCreated, out: sharedOut{}, runs: "client.share", do: m.shareSecret},
		{method: "DELETE", path: "/api/v1/clients/{client}/shared-secret", name: "clients.unshare", says: "Lets an application's tokens be signed by a public key again; those by a secret end at once.", out: clientEnded{},
			runs: "client.unshare", do: m.unshareSecret},

		{method: "GET", path: "/api/v1/jobs", name: "jobs.list", says: "Lists the work that goes on behind requests.", out: jobPage{}, do: m.jobs},
		{method: "GET", path: "/api/v1/jobs/{id}", name: "jobs.show", says: "Shows a job.", out: jobOut{}, refuses: []string{"job.found"}, do: m.job},
		{method: "POST", path: "/api/v1/jobs/{id}/stop", name: "jobs.stop", says: "Stops a job after the unit it is at.", out: jobOut{}, runs: "job.stop", do: m.jobTurned(m.Manage.StopJob)},
		{method: "POST", path: "/api/v1/jobs/{id}/resume", name: "jobs.resume", says: "Lets a stopped job go on.", out: jobOut{}, runs: "job.resume", do: m.jobTurned(m.Manage.ResumeJob)},

		{method: "GET", path: "/api/v1/keys", name: "keys.list", says: "Lists keys and where each is in its life, and never what they are.", out: keyPage{}, do: m.keys},
		{method: "POST", path: "/api/v1/keys/rotate", name: "keys.rotate", says: "Gives a purpose its next key ahead of time.", in: rotation{}, out: keyPage{}, runs: "key.rotate", do: m.rotateKey},
		{method: "POST", path: "/api/v1/keys/retire", name: "keys.retire", says: "Ends a key; one that was compromised at once, with everything it made.", in: retirement{}, out: keyPage{}, runs: "key.retire", do: m.retireKey},
		{method: "POST", path: "/api/v1/keys/rotate-kek", name: "keys.rotate_kek", says: "Puts every key under a newer key-encryption key.", in: struct{}{}, out: resealed{}, runs: "key.rotate_kek", local: true, do: m.rotateKEK},

		{method: "GET", path: "/api/v1/explain/{ref}", name: "explain", says: "Tells everything that is known of a refusal, by its reference, or of a session, by its id.", out: explained{}, refuses: []string{"ledger.found", "session.found"}, do: m.explain},
		{method: "POST", path: "/api/v1/tokens/verify", name: "tokens.verify", says: "Runs every check of a token of any kind, and spends nothing.", in: tokenIn{}, out: explained{}, do: m.examine},
		{method: "POST", path: "/api/v1/tokens/revoke", name: "tokens.revoke", says: "Ends a token that was found: an access token by itself, a refresh token with its family, a session's secret with its session.",
			in: tokenIn{}, out: revokedOut{}, runs: "token.revoke", do: m.revoke},
		{method: "GET", path: "/api/v1/doctor", name: "doctor", says: "Looks at the server and what it stands on.", out: findings{}, held: true, do: m.doctor},
		{method: "GET", path: "/api/v1/audit", name: "audit.list", says: "Lists entries of the ledger that a query selects, the newest first.", query: []string{"q", "after", "limit"}, out: auditPage{},
			refuses: []string{"audit.form", "user.found"}, held: true, do: m.audit},
		{method: "GET", path: "/api/v1/audit/export", name: "audit.export", says: "Streams entries of the ledger that a query selects, each chain from its oldest.", query: []string{"q"}, out: auditOut{}, stream: true,
			refuses: []string{"audit.form", "user.found"}, held: true, fresh: true, do: m.exportAudit},
		{method: "GET", path: "/api/v1/audit/tail", name: "audit.tail", says: "Streams what the ledger takes in from now on; an empty line says that the stream lives.", query: []string{"q"}, out: auditOut{}, stream: true,
			refuses: []string{"audit.form", "user.found"}, held: true, local: true, do: m.tail},
		{method: "GET", path: "/api/v1/audit/verify", name: "audit.verify", says: "Holds the ledger's chains against their signatures.", out: verified{}, do: m.verify},

		{method: "POST", path: "/api/v1/drill", name: "drill.begin", says: "Gives a drill a nonce, which the public address answers until the drill ends.", status: http.StatusCreated, out: drillOut{}, local: true, do: m.Drills.begin},
		{method: "DELETE", path: "/api/v1/drill/{nonce}", name: "drill.end", says: "Ends a drill: its nonce is answered no more.", out: drillEnded{}, local: true, refuses: []string{"request.path"}, do: m.Drills.end},
	}
}

// A guard says who asks, or refuses them.
type guard func(r *http.Request, of route) (settle.Caller, error)

// mount puts routes on a mux behind a guard.
func (m *Manage) mount(mux *http.ServeMux, routes []route, who guard) {
	at := map[string]door.Address{}
	held := map[string]bool{}
	for _, x := range routes {
		a := at[x.path]
		if a.Methods == nil {
			a.Methods = map[string]door.Handler{}
		}
		a.Methods[x.method] = func(w http.ResponseWriter, r *http.Request) error {
			by, err := who(r, x)
			if err != nil {
				return err
			}
			return x.do(w, r, by)
		}
		a.Query = append(a.Query, x.query...)
		at[x.path], held[x.path] = a, held[x.path] || x.held
	}
	for path, a := range at {
		on := m.Door.On
		if held[path] {
			on = m.Door.Held
		}
		mux.Handle(path, on(door.Problem, a.Serve))
	}
}

// Routes mounts the management API for whoever may open the host's socket.
func (m *Manage) Routes(mux *http.ServeMux) {
	m.mount(mux, m.routes(), func(r *http.Request, _ route) (settle.Caller, error) { return by(r) })
	mux.Handle("/", m.Door.On(door.Problem, func(http.ResponseWriter, *http.Request) error { return check.Refuse(door.Path) }))
}

// PublicRoutes mounts the management API at the public address, for
// administrators: by an access token in the Authorization header and never by
// a cookie, which a page elsewhere could make a browser send (SES-15).
func (m *Manage) PublicRoutes(mux *http.ServeMux) {
	var public []route
	for _, x := range m.routes() {
		if !x.local {
			public = append(public, x)
		}
	}
	m.mount(mux, public, func(r *http.Request, of route) (settle.Caller, error) {
		if of.open {
			return settle.Caller{}, nil
		}
		bearer, err := m.Door.Shown(r)
		if err != nil {
			return settle.Caller{}, err
		}
		return m.Exchange.Administer(r.Context(), m.Door.Caller(r), bearer, of.method != http.MethodGet || of.fresh)
	})
	mux.Handle("/api/", m.Door.On(door.Problem, func(http.ResponseWriter, *http.Request) error { return check.Refuse(door.Path) }))
}

// checks are those that may refuse a route, beside what refuses any request.
func (x route) checks() (out []*check.Check) {
	for _, e := range check.Exchanges() {
		if e.Name == x.runs {
			out = append(out, e.Checks...)
		}
	}
	for _, id := range x.refuses {
		out = append(out, check.Named(id))
	}
	if x.in != nil {
		out = append(out, door.Media, door.Size, door.Body)
	}
	if len(x.query) > 0 {
		out = append(out, door.Query)
	}
	return out
}

// described says what is missing of a route's description; "" when nothing is.
func (x route) described() string {
	switch {
	case x.name == "" || x.says == "" || x.says[len(x.says)-1] != '.':
		return "has no name, or no sentence that ends"
	case x.out == nil || x.do == nil:
		return "does not say what it answers, or does nothing"
	case x.in != nil && x.method == http.MethodGet:
		return "reads a body of a GET"
	case x.runs != "" && len(route{runs: x.runs}.checks()) == 0:
		return "runs an exchange that nobody declared"
	}
	for _, id := range x.refuses {
		if check.Named(id) == nil {
			return "may be refused by " + id + ", which nobody declared"
		}
	}
	for _, q := range x.query {
		if parameters[q] == "" {
			return "has the parameter " + q + ", which nobody explains"
		}
	}
	if _, err := schemaOf(reflect.TypeOf(x.out), schemas{}); err != nil {
		return err.Error()
	}
	return ""
}
