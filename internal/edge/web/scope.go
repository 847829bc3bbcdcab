package web

import "github.com/doorward/doorward/internal/edge/web/ui"

// MayUse is a scope in words: the operator's own, or those that every deployment has. A scope that nobody described
// is named as what it is; it is never left out.
func MayUse(scope, own string) Permission {
	p := Permission{Scope: scope, Own: own}
	switch {
	case own != "":
	case scope == "openid":
		p.Says = ui.Say("scope.openid")
	case scope == "profile":
		p.Says = ui.Say("scope.profile")
	case scope == "email":
		p.Says = ui.Say("scope.email")
	case scope == "address":
		p.Says = ui.Say("scope.address")
	case scope == "phone":
		p.Says = ui.Say("scope.phone")
	case scope == "offline_access":
		p.Says = ui.Say("scope.offline_access")
	default:
		p.Says = ui.Say("scope.undescribed", "scope", scope)
	}
	return p
}
