package exchange

import (
	"context"
	"sync"
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/check"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/settle"
	"github.com/doorward/doorward/internal/core/token"
)

// Checks of an administrator who is not on the host.
var (
	adminPace = check.New(check.Check{Number: 731, ID: "limit.admin", Fault: fault.Slow, Shown: "limit.admin",
		Says: "This person has not asked the management API too often.", Source: "ASVS 2.4.1",
		Title: "Too many requests.", Stops: []string{"DOS-01"}})
	adminClient = check.New(check.Check{Number: 717, ID: "admin.client", Fault: fault.Scope, Shown: "admin.client",
		Says: "The access token is of the built-in client, not of another application.", Source: "RFC 6750 section 3.1; ASVS 10.3.2",
		Title: "An application may not administer.", Stops: []string{"JWT-12"}})
	adminRole = check.New(check.Check{Number: 718, ID: "admin.role", Fault: fault.Denied, Shown: "admin.role",
		Says: "The person is an administrator now.", Source: "ASVS 8.2.1, 8.3.2",
		Title: "Only administrators may do that.", Stops: []string{"TEN-15"}})
	adminRecent = check.New(check.Check{Number: 719, ID: "admin.recent", Fault: fault.Stale, Shown: "admin.recent",
		Says: "The administrator proved who they are within the last hours, and did not pause for long since.", Source: "ASVS 7.3.1, 7.3.2; RFC 9470 section 3",
		Title: "One more check is needed: prove that it is still you."})
)

var administer = check.Declare(266, "admin.present", adminPace, adminClient, adminRole, adminRecent, session.FreshEnough)

// AdminLifetimes bound how long a sign-in is good for administering: Idle
// without use of the management API, Max in any case.
type AdminLifetimes struct{ Idle, Max time.Duration }

// administering notes when a session was last used to administer. It is of
// this process: whoever comes to another node, or after a restart, is idle
// since their last proof, which errs on the side of asking again.
type administering struct {
	mu   sync.Mutex
	used map[session.ID]time.Time
}

func (a *administering) since(s session.Session) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at := a.used[s.ID]; at.After(s.AuthTime) {
		return at
	}
	return s.AuthTime
}

func (a *administering) use(s session.ID, now time.Time, idle time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used == nil {
		a.used = map[session.ID]time.Time{}
	}
	a.used[s] = now
	for id, at := range a.used {
		if now.Sub(at).Abs() > idle {
			delete(a.used, id)
		}
	}
}

// Administer says which administrator an access token is of. The role is read
// with the person at each request, so that taking it away counts at once. A
// change asks for a proof of the last minutes. One who may not is refused in
// the ledger; one who may leaves no entry, but those of what they change.
func (x *Exchanges) Administer(ctx context.Context, by settle.Caller, bearer token.Shown, change bool) (settle.Caller, error) {
	who, err := x.Bearer(ctx, bearer)
	if err != nil {
		return settle.Caller{}, err
	}
	now := x.pipe.Now()
	wait := x.meters.Take("admin", who.User.ID.String(), now, risk.AdminCalls)
	judge := func(j *settle.Judgement) core.Unit {
		j.User, j.Session, j.Client = who.User.ID, who.Session.ID, who.Claims.Client
		s, within := who.Session, x.policy.Admin
		idle, age := now.Sub(x.admins.since(s)), now.Sub(s.AuthTime)
		if !j.Hold(adminPace, wait == 0, check.Wait(wait)) || !j.Hold(adminClient, who.Claims.Client == client.BuiltIn) || !j.Hold(adminRole, who.User.Admin) ||
			!j.Hold(adminRecent, idle <= within.Idle && age <= within.Max, check.Age(min(within.Idle, within.Max))) {
			return nil
		}
		j.Hold(session.FreshEnough, !change || s.Proves(session.Administering, now), check.Age(session.Administering.Within))
		return nil
	}
	j := &settle.Judgement{Trail: administer.Begin(), Now: now}
	judge(j)
	if _, err := j.Close(); err != nil {
		return settle.Caller{}, x.pipe.Run(ctx, administer, by, judge, nil)
	}
	x.admins.use(who.Session.ID, now, x.policy.Admin.Idle)
	by.Actor = who.User.ID.String()
	return by, nil
}
