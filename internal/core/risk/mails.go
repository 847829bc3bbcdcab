package risk

import (
	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
)

// Checks of budgets that all nodes share: see Afford.
var (
	SignUpsCalm = check.New(check.Check{Number: 833, ID: "limit.sign_ups", Fault: fault.Slow, Shown: "limit.sign_ups",
		Says: "Few enough accounts were asked for from this network.", Source: "ASVS 2.4.1",
		Title: "Too many accounts were asked for from your network.", Stops: []string{"DOS-12"}})
	MailsCalm = check.New(check.Check{Number: 834, ID: "limit.mails", Fault: fault.Slow, Shown: "limit.mails",
		Says: "Few enough mails were asked for to this address, and from this network.", Source: "ASVS 2.4.1, 6.3.1",
		Title: "Too many mails were asked for.", Stops: []string{"DOS-12"}})
)
