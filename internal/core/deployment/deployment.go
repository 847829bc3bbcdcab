// Package deployment is what one database belongs to: the issuer whose name
// is in every token it ever gave.
package deployment

import (
	"fmt"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
)

// A Deployment is written once, at the first start.
type Deployment struct {
	Issuer  string
	Mode    string // "development" or "production"
	Created time.Time
	// AdminEver says that there is an administrator, or was one.
	AdminEver bool
}

// Exists says whether the database belongs to somebody.
func (d Deployment) Exists() bool { return d.Issuer != "" }

// Fits says why a server of this issuer and mode must not start here; nil
// when it may.
func (d Deployment) Fits(issuer, mode string) error {
	switch {
	case !d.Exists():
		return nil
	case d.Issuer != issuer:
		return fmt.Errorf("this database belongs to %s and the configured issuer is %s: every token and session would break", d.Issuer, issuer)
	case d.Mode != mode:
		return fmt.Errorf("this database was made in %s mode and the configuration asks for %s", d.Mode, mode)
	}
	return nil
}

// Found claims an empty database. Unique: of two first starts one wins.
type Found struct {
	Issuer  string
	Mode    string
	Created time.Time
}

// Administered marks that there is an administrator. It holds that there never
// was one: of many first administrators one is made (attack TEN-15).
type Administered struct{}

// Changes names the table.
func (Found) Changes() string { return "deployment" }

// Changes names the table.
func (Administered) Changes() string { return "deployment" }

// Reader reads it.
type Reader interface{ Deployment() Deployment }

// SetupOpen is the check of setup.
var SetupOpen = check.New(check.Check{Number: 835, ID: "setup.open", Fault: fault.Conflict, Shown: "setup.open",
	Says: "There is no administrator here, and never was one.", Source: "ASVS 6.3.2",
	Title: "This server has had an administrator already. Administrators make administrators.", Stops: []string{"TEN-15"}})
