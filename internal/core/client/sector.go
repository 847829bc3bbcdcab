package client

import "net/url"

// Types of subjects (OpenID Connect Core section 8).
const (
	SubjectPublic   = "public"
	SubjectPairwise = "pairwise"
)

// Sector is whom pairwise names of people are for: the host of the address that
// speaks for the application's sector, or else the one host of every address
// that it goes back to; empty where there is not one (OpenID Connect Core
// section 8.1).
func (c Client) Sector() (host string) {
	if c.SectorURI != "" {
		u, err := url.Parse(c.SectorURI)
		if err != nil {
			return ""
		}
		return u.Hostname()
	}
	for _, s := range c.RedirectURIs {
		u, err := url.Parse(s)
		if err != nil || u.Hostname() == "" || host != "" && u.Hostname() != host {
			return ""
		}
		host = u.Hostname()
	}
	return host
}
