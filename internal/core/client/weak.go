package client

import "time"

// A Weakness is something of a registration that is allowed and that an
// operator should know of.
type Weakness struct {
	ID   string
	Says string // of it, after its name
	Fix  string // what to type, without the program's name and with %s for the application
}

// How long before an operator is reminded.
const (
	secretOld     = 365 * 24 * time.Hour
	statelessLong = 15 * time.Minute
)

// Weaknesses are what is weak in how an application is registered.
func (c Client) Weaknesses(now time.Time) (out []Weakness) {
	if c.ChallengeOptional() {
		out = append(out, Weakness{"pkce", "may ask for a code without a challenge", "clients edit %s --pkce required"})
	}
	if c.Revocation == Stateless {
		says := "has tokens that are good until they expire, whatever happens"
		if c.AccessLife > int64(statelessLong/time.Second) {
			says += ", for longer than " + statelessLong.String()
		}
		out = append(out, Weakness{"stateless", says, "clients edit %s --revocation feed"})
	}
	if c.Secret.Exists() && now.Sub(c.Secret.Made) > secretOld {
		out = append(out, Weakness{"secret_old", "has a secret that is older than a year", "clients rotate-secret %s"})
	}
	if c.Former.Live(now) && c.Former.Used.Before(c.Secret.Used) && now.Sub(c.Former.Used) > 24*time.Hour {
		out = append(out, Weakness{"secret_former", "has a former secret that nobody used for a day", "clients retire-secret %s"})
	}
	if c.Auth == AuthPost {
		out = append(out, Weakness{"secret_post", "sends its secret in the body, where logs of proxies look", "clients edit %s --auth client_secret_basic"})
	}
	return out
}

// A Finding is one thing that a sign-in to an application would meet.
type Finding struct {
	ID   string
	Good bool
	Says string
	Fix  string
}

// Rehearse says what somebody who signs in to an application would meet, and
// what its registration lacks: every finding, the good ones too.
func (c Client) Rehearse() (out []Finding) {
	say := func(id string, good bool, yes, no, fix string) {
		if good {
			no, fix = yes, ""
		}
		out = append(out, Finding{id, good, no, fix})
	}
	say("standing", !c.Paused, "it may ask", "it is paused: everything it asks is refused", "clients resume %s")
	proof := "it proves itself by " + c.Auth
	if c.Auth == AuthNone {
		proof = "it proves itself by nothing: its challenge and its addresses stand for it"
	}
	say("proof", c.Type != "machine" || c.Auth != AuthNone, proof, "a machine that proves nothing gets nothing", "clients edit %s --auth client_secret_basic")
	if !c.MayGrant(GrantCode) {
		say("people", c.Type == "machine", "no person signs in to it: it asks for itself", "it may not use authorization_code: nobody can sign in to it", "clients edit %s --grant authorization_code --grant refresh_token")
		say("grants", c.MayGrant(GrantClient) || c.MayGrant(GrantDevice) || c.MayGrant(GrantAssert) || c.MayGrant(GrantExchange), "it has a grant to use", "it has no grant that it could use", "clients edit %s --grant client_credentials")
		return out
	}
	say("redirect", len(c.RedirectURIs) > 0, "people come back to an address that it registered", "it registered no address to come back to: nobody can sign in to it", "clients edit %s --redirect https://...")
	say("challenge", !c.ChallengeOptional(), "a code is asked for with a challenge (PKCE, S256)", "a code may be asked for without a challenge", "clients edit %s --pkce required")
	say("openid", c.May("openid"), "it may ask who the person is (openid)", "it may not ask for openid: it gets no ID token", "clients edit %s --scope openid ...")
	say("refresh", c.MayGrant(GrantRefresh), "it goes on by refreshing", "it may not refresh: people come back when its access token expires", "clients edit %s --grant authorization_code --grant refresh_token")
	if c.FirstParty {
		say("consent", true, "it is yours: nobody is asked", "", "")
	} else {
		say("consent", true, "each person is asked once, in words (scopes describe)", "", "")
	}
	if c.Type == "spa" {
		say("pages", len(c.PageOrigins()) > 0, "its pages may read what it is answered", "no origin of its pages is known: a browser will not let them read a token", "clients edit %s --origin https://...")
	}
	return out
}
