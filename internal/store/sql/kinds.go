package sql

import (
	"reflect"

	"github.com/doorward/doorward/internal/core"
	"github.com/doorward/doorward/internal/core/client"
	"github.com/doorward/doorward/internal/core/deployment"
	"github.com/doorward/doorward/internal/core/factor"
	"github.com/doorward/doorward/internal/core/identity"
	"github.com/doorward/doorward/internal/core/job"
	"github.com/doorward/doorward/internal/core/key"
	"github.com/doorward/doorward/internal/core/ledger"
	"github.com/doorward/doorward/internal/core/outbox"
	"github.com/doorward/doorward/internal/core/revocation"
	"github.com/doorward/doorward/internal/core/risk"
	"github.com/doorward/doorward/internal/core/session"
	"github.com/doorward/doorward/internal/core/token"
)

// kinds is everything that can ever change, one line each, in the order in
// which locks are taken: feed head, deployment, client, user, factor,
// session, family, the rest. A unit's writes run in this order, so two units
// cannot wait for each other.
var kinds = []kind{
	{revocation.Next{}, one, `update feed_head set seq = seq + 1`},

	{deployment.Found{}, one, `insert into deployment (one, issuer, mode, created) values (1, $1, $2, $3)`},
	{deployment.Administered{}, one, `update deployment set admin_ever = 1 where admin_ever = 0`},

	{client.Create{}, one, `insert into clients (id, name, type, first_party, auth, secret_hash, redirect_uris, post_logout, origins, resources, scopes, grants, paused, cut, created, token_format, settings, access_life, secret_made)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, $13, $14, $15, $16, $13)`},
	{client.Edit{}, one, `update clients set name = $3, first_party = $4, auth = $5, redirect_uris = $6, post_logout = $7, origins = $8, resources = $9, scopes = $10, grants = $11,
		token_format = $12, settings = $13, access_life = $14, guard = guard + 1 where id = $1 and guard = $2 and deleted = 0`},
	{client.Resecret{}, one, `update clients set former_hash = secret_hash, former_made = secret_made, former_used = secret_used, former_until = $5,
		secret_hash = $3, secret_made = $4, secret_used = 0, guard = guard + 1 where id = $1 and guard = $2 and deleted = 0`},
	{client.Reprove{}, one, `update clients set secret_hash = $2, secret_made = $3, secret_used = 0, former_hash = null, former_until = 0 where id = $1 and deleted = 0`},
	{client.Retire{}, one, `update clients set former_until = $3, guard = guard + 1 where id = $1 and guard = $2 and former_until > $3`},
	{client.Used{}, any_, `update clients set secret_used = case when secret_hash = $2 and secret_used < $3 then $3 else secret_used end,
		former_used = case when former_hash = $2 and former_used < $3 then $3 else former_used end where id = $1`},
	{client.Trim{}, one, `update clients set trimmed = (select seq from feed_head) where id = $1 and deleted = 0`},
	{client.Pause{}, one, `update clients set paused = 1, guard = guard + 1, cut = (select seq from feed_head) where id = $1 and guard = $2 and paused = 0 and deleted = 0`},
	{client.Resume{}, one, `update clients set paused = 0, guard = guard + 1 where id = $1 and guard = $2 and paused = 1`},
	{client.Delete{}, one, `update clients set deleted = $3, secret_hash = $4, former_hash = null, former_until = 0, redirect_uris = '', post_logout = '', origins = '',
		resources = '', scopes = '', grants = '', settings = '{}', guard = guard + 1, cut = (select seq from feed_head) where id = $1 and guard = $2 and deleted = 0`},
	{client.Unclaim{}, any_, `delete from client_origins where client_id = $1`},
	{client.Claim{}, one, `insert into client_origins (origin, client_id) values ($1, $2)`},
	{client.Prefer{}, any_, `insert into client_origins (origin, client_id) values ($1, $2) on conflict (origin) do nothing`},
	{client.Unpage{}, any_, `delete from client_pages where client_id = $1`},
	{client.Page{}, any_, `insert into client_pages (origin, client_id) values ($1, $2) on conflict (origin, client_id) do nothing`},
	{client.SetShared{}, one, `update clients set shared_alg = $3, guard = guard + 1 where id = $1 and guard = $2 and deleted = 0`},
	{client.Cut{}, one, `update clients set cut = (select seq from feed_head) where id = $1`},

	{identity.Create{}, one, `insert into users (id, email, address, name, verified, admin, state, guard, cut, created) values ($1, $2, $3, $4, $5, $6, 1, 0, 0, $7)`},
	{identity.Pause{}, one, `update users set state = 2, guard = guard + 1, cut = (select seq from feed_head) where id = $1 and guard = $2 and state = 1`},
	{identity.Restore{}, one, `update users set state = 1, guard = guard + 1 where id = $1 and guard = $2 and state = 2`},
	{identity.Cut{}, one, `update users set guard = guard + 1, cut = (select seq from feed_head) where id = $1 and guard = $2`},
	{identity.Describe{}, one, `update users set name = $3, verified = $4, guard = guard + 1 where id = $1 and guard = $2`},
	{identity.Appoint{}, one, `update users set admin = 1, guard = guard + 1 where id = $1 and guard = $2 and admin = 0 and state = 1`},
	{identity.Dismiss{}, one, `update users set admin = 0, guard = guard + 1 where id = $1 and guard = $2 and admin = 1
		and exists (select 1 from users o where o.admin = 1 and o.state = 1 and o.id <> $1)`},

	{identity.Hold{}, one, `update users set guard = guard + 1 where id = $1 and guard = $2`},

	{identity.Readdress{}, one, `update users set email = $3, address = $4, verified = 1, guard = guard + 1, cut = (select seq from feed_head) where id = $1 and guard = $2`},

	{identity.Schedule{}, one, `update users set delete_at = $3, guard = guard + 1 where id = $1 and guard = $2 and state in (1, 2)`},
	{identity.Keep{}, one, `update users set delete_at = 0, guard = guard + 1 where id = $1 and guard = $2 and state in (1, 2) and delete_at > 0`},
	{identity.Delete{}, one, `update users set state = 3, email = '', address = $3, name = '', verified = 0, admin = 0, delete_at = $4, guard = guard + 1,
		cut = (select seq from feed_head) where id = $1 and guard = $2 and state in (1, 2)
		and (admin = 0 or exists (select 1 from users o where o.admin = 1 and o.state = 1 and o.id <> $1))`},
	{identity.Cleared{}, any_, `update users set delete_at = 0 where id = $1 and state = 3`},

	{factor.Enrol{}, one, `insert into passwords (user_id, phc, version, changed, used, distrusted) values ($1, $2, 1, $3, 0, 0)`},
	{factor.Use{}, one, `update passwords set used = $3 where user_id = $1 and version = $2`},
	{factor.Rehash{}, one, `update passwords set phc = $3 where user_id = $1 and version = $2`},
	{factor.Replace{}, one, `update passwords set phc = $3, version = version + 1, changed = $4, distrusted = 0 where user_id = $1 and version = $2`},

	{factor.Remove{}, any_, `delete from passwords where user_id = $1`},
	{factor.Distrust{}, any_, `update passwords set distrusted = 1 where user_id = $1`},
	{session.Start{}, one, `insert into sessions (id, user_id, hash, rev, cut, created, auth_time, idle_until, max_until, last_seen, method, ip, user_agent, ended, why)
		values ($1, $2, $3, $4, 0, $5, $6, $7, $8, $5, $9, $10, $11, 0, 0)`},
	{session.Finish{}, one, `update sessions set ended = $2, why = $3, cut = (select seq from feed_head) where id = $1 and ended = 0`},
	{session.FinishAll{}, exact, `update sessions set ended = $2, why = $3, cut = (select seq from feed_head) where id in {{ids $1}} and ended = 0`},
	{session.Spare{}, one, `update sessions set rev = (select seq from feed_head) where id = $1 and ended = 0`},
	{session.Renew{}, one, `update sessions set hash = $3, auth_time = $4, method = $5 where id = $1 and hash = $2 and ended = 0`},
	{session.Doubt{}, any_, `update sessions set auth_time = 0 where id = $1 and ended = 0`},
	{session.Extend{}, any_, `update sessions set idle_until = $2 where id = $1 and ended = 0 and idle_until > $3 and idle_until < $2`},
	{session.Seen{}, any_, `update sessions set last_seen = $2 where id = $1 and last_seen < $2`},
	{session.Forget{}, any_, `delete from sessions where id in {{ids $1}} and max_until < $2 and not exists (select 1 from families f where f.session_id = sessions.id)`},

	{session.Vanish{}, any_, `delete from sessions where id in (select s.id from sessions s where s.user_id = $1
		and exists (select 1 from users u where u.id = $1 and u.state = 3) and not exists (select 1 from families f where f.session_id = s.id) order by s.id limit 500)`},

	{token.Open{}, one, `insert into families (id, client_id, session_id, user_id, key_tag, salt, generation, current, rev, scopes, created, rotated_at, idle_until, max_until, ended, consent_id, terms)
		values ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $10, $11, $12, 0, $13, $14)`},
	{token.Tie{}, one, `update families set terms = $3 where id = $1 and generation = $2 and ended = 0`},
	{token.Advance{}, one, `update families set generation = generation + 1, current = $3, rotated_at = $4, idle_until = $5 where id = $1 and generation = $2 and ended = 0`},
	{token.Burn{}, one, `update families set ended = $2 where id = $1 and ended = 0`},
	{token.Spare{}, any_, `update families set rev = (select seq from feed_head) where session_id = $1 and ended = 0
		and not exists (select 1 from clients c where c.id = families.client_id and c.cut > families.rev)
		and not exists (select 1 from consents g where g.id = families.consent_id and g.cut > families.rev)`},
	{token.Vanish{}, any_, `delete from families where id in (select f.id from families f join sessions s on s.id = f.session_id where s.user_id = $1
		and exists (select 1 from users u where u.id = $1 and u.state = 3) order by f.id limit 500)`},
	{token.Forget{}, any_, `delete from families where id in {{ids $1}} and max_until < $2`},

	{client.Allow{}, one, `insert into consents (id, user_id, client_id, scopes, terms, rev, cut, created, changed) values ($1, $2, $3, $4, $5, $6, 0, $7, $7)`},
	{client.Widen{}, one, `update consents set scopes = $3, terms = $4, changed = $5 where id = $1 and changed = $2`},
	{client.Disallow{}, one, `update consents set scopes = '', terms = '{}', changed = $2, cut = (select seq from feed_head) where id = $1 and scopes <> ''`},
	{client.Sever{}, one, `update consents set cut = (select seq from feed_head) where id = $1 and scopes <> ''`},
	{client.Unallow{}, any_, `delete from consents where id in (select c.id from consents c where c.user_id = $1
		and exists (select 1 from users u where u.id = $1 and u.state = 3) order by c.id limit 500)`},
	{client.Describe{}, one, `insert into scopes (name, says, optional, changed) values ($1, $2, $3, $4)
		on conflict (name) do update set says = excluded.says, optional = excluded.optional, changed = excluded.changed`},
	{client.Undescribe{}, one, `delete from scopes where name = $1`},

	{client.Permit{}, one, `insert into initial_tokens (id, hash, uses, created, expires) values ($1, $2, $3, $4, $5)`},
	{client.Use{}, one, `update initial_tokens set uses = uses - 1 where id = $1 and uses > 0 and expires > $2`},
	{client.Withdraw{}, one, `delete from initial_tokens where id = $1`},
	{client.Entrust{}, one, `insert into registrations (client_id, hash, created) values ($1, $2, $3)`},
	{client.Distrust{}, any_, `delete from registrations where client_id = $1`},
	{client.AddSecret{}, one, `insert into shared_secrets (client_id, number, kid, alg, sealed, created) values ($1, $2, $3, $4, $5, $6)`},
	{client.DropSecrets{}, any_, `delete from shared_secrets where client_id = $1 and number <= $2`},
	{client.Federate{}, one, `insert into federations (id, client_id, issuer, rule, created) values ($1, $2, $3, $4, $5)`},
	{client.Unfederate{}, one, `delete from federations where id = $1`},
	{client.Orphan{}, any_, `delete from federations where client_id = $1`},
	{session.Join{}, any_, `insert into parties (session_id, client_id, user_id, at) values ($1, $2, $3, $4) on conflict (session_id, client_id) do nothing`},
	{session.Part{}, one, `delete from parties where session_id = $1 and client_id = $2`},
	{session.Outstay{}, any_, `delete from parties where (session_id, client_id) in (select session_id, client_id from parties where at < $1 limit 500)`},

	{client.DeclareType{}, one, `insert into detail_types (name, schema, says, changed) values ($1, $2, $3, $4)
		on conflict (name) do update set schema = excluded.schema, says = excluded.says, changed = excluded.changed`},
	{client.UndeclareType{}, one, `delete from detail_types where name = $1`},

	{key.Add{}, one, `insert into keys (purpose, number, kid, alg, wrapped, sealed, public, created, since, compromised) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)`},
	{key.Hasten{}, one, `update keys set since = $4 where purpose = $1 and number = $2 and since = $3 and compromised = 0`},
	{key.Distrust{}, one, `update keys set compromised = $3 where purpose = $1 and number = $2 and compromised = 0`},
	{key.Beside{}, one, `update keys set sealed = sealed where purpose = $1 and number = $2 and sealed = $3`},
	{key.Erase{}, one, `update keys set wrapped = null, sealed = substr(sealed, 1, 0), public = $4 where purpose = $1 and number = $2 and sealed = $3`},
	{key.Reseal{}, one, `update keys set wrapped = $4, sealed = $5 where purpose = $1 and number = $2 and sealed = $3`},

	{token.Offer{}, one, `insert into once (id, use, subject, user_id, link, code, browser, rev, tries, created, expires, spent, body)
		values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, 0, $11)
		on conflict (use, subject) do update set id = excluded.id, user_id = excluded.user_id, link = excluded.link, code = excluded.code, browser = excluded.browser,
		rev = excluded.rev, tries = 0, created = excluded.created, expires = excluded.expires, spent = 0, body = excluded.body`},
	{token.Try{}, one, `update once set tries = tries + 1 where id = $1 and tries = $2 and spent = 0`},
	{token.Spend{}, one, `update once set spent = $2 where id = $1 and spent = 0`},
	{token.Note{}, one, `update once set body = $3 where id = $1 and body = $2 and spent = 0`},
	{token.Void{}, any_, `update once set spent = $3 where use = $1 and subject = $2 and spent = 0`},
	{token.VoidLater{}, any_, `update once set spent = $4 where use = $1 and user_id = $2 and rev > $3 and spent = 0`},
	{token.Withdraw{}, any_, `delete from once where user_id = $1`},
	{token.Lapse{}, any_, `delete from once where id in (select id from once where expires < $1 limit 500)`},
	{token.SpendOnce{}, one, `insert into spent (use, hash, until, bought) values ($1, $2, $3, $4)`},
	{token.Push{}, one, `insert into pushed (hash, client_id, body, created, until) values ($1, $2, $3, $4, $5)`},
	{token.Unpush{}, any_, `delete from pushed where hash in (select hash from pushed where until < $1 limit 2000)`},
	{token.Outlive{}, any_, `delete from spent where (use, hash) in (select use, hash from spent where until < $1 limit 500)`},
	{revocation.Revoke{}, one, `insert into feed_events (seq, unit, name, at, not_before, until, audience)
		select (select seq from feed_head), $1, $2, $3, $4, case when l.until > $5 then l.until else $5 end, $6
		from (select cast($3 as {{int}}) + coalesce(max(access_life), 0) + 120000000 as until from clients) as l`},
	{revocation.Forget{}, any_, `delete from feed_events where until < $1`},

	{risk.Fail{}, one, `insert into failures (key, count, last) values ($1, 1, $2)
		on conflict (key) do update set count = case when failures.last < $3 then 1 else failures.count + 1 end, last = excluded.last`},
	{risk.Clear{}, any_, `delete from failures where key = $1`},
	{risk.Know{}, one, `insert into known_networks (key, until) values ($1, $2) on conflict (key) do update set until = excluded.until`},

	{risk.Forget{}, any_, `delete from failures where key in {{ids $1}} and last < $2`},
	{risk.Unknow{}, any_, `delete from known_networks where key in {{ids $1}} and until <= $2`},
	{session.Recognise{}, one, `insert into devices (key, user_id, created, seen) values ($1, $2, $3, $3)
		on conflict (key) do update set seen = case when devices.seen < excluded.seen then excluded.seen else devices.seen end`},
	{session.Unrecognise{}, any_, `delete from devices where key = $1`},
	{session.UnrecogniseAll{}, any_, `delete from devices where user_id = $1`},
	{session.Unvisited{}, any_, `delete from devices where key in (select key from devices where seen < $1 limit 500)`},

	{risk.Pay{}, one, `insert into budgets (key, tat) values ($1, $3) on conflict (key) do update set tat = excluded.tat where budgets.tat = $2`},
	{risk.Share{}, one, `insert into budgets (key, tat) values ($1, cast($2 as {{int}}) + cast($3 as {{int}})) on conflict (key) do update set
		tat = case when budgets.tat < cast($3 as {{int}}) then cast($3 as {{int}}) else budgets.tat end + cast($2 as {{int}})`},
	{risk.Earn{}, any_, `delete from budgets where key in (select key from budgets where tat < $1 limit 500)`},
	{outbox.Tell{}, one, `insert into outbox (id, kind, user_id, created, due, expires, tries, sealed) values ($1, $2, $3, $4, $4, $5, 0, $6)`},
	{outbox.Claim{}, one, `update outbox set due = $3 where id = $1 and due = $2`},
	{outbox.Failed{}, one, `update outbox set due = $3, tries = tries + 1 where id = $1 and due = $2`},
	{outbox.Done{}, any_, `delete from outbox where id = $1`},
	{outbox.Drop{}, any_, `delete from outbox where id in (select id from outbox where expires < $1 limit 500)`},
	{ledger.Record{}, one, `insert into ledger_open (id, at, chain, user_id, session_id, body) values ($1, $2, $3, $4, $5, $6)`},
	{ledger.Keep{}, one, `insert into ledger_private (id, at, salt, body) values ($1, $2, $3, $4)`},
	{ledger.Append{}, one, `insert into ledger_segments (chain, number, count, first_at, last_at, prev, body, hash, signature) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`},
	{ledger.Index{}, one, `insert into ledger_index (subject, chain, number) values ($1, $2, $3)`},
	{ledger.Drop{}, exact, `delete from ledger_open where id in {{ids $1}}`},
	{ledger.Tally{}, one, `insert into ledger_tally (minute, exchange, check_number, network, count) values ($1, $2, $3, $4, $5)
		on conflict (minute, exchange, check_number, network) do update set count = ledger_tally.count + excluded.count`},
	{ledger.Issue{}, one, `insert into ledger_issues (client_id, minute, exchange, network, checks, count) values ($1, $2, $3, $4, $5, $6)
		on conflict (client_id, minute, exchange, network) do update set count = ledger_issues.count + excluded.count`},
	{ledger.Unissue{}, any_, `delete from ledger_issues where (client_id, minute, exchange, network) in
		(select client_id, minute, exchange, network from ledger_issues where minute < $1 limit 500)`},
	{ledger.Erase{}, any_, `delete from ledger_private where id in {{ids $1}} and at < $2`},
	{ledger.Uncount{}, any_, `delete from ledger_tally where minute = $1 and exchange = $2 and check_number = $3 and network = $4`},
	{ledger.Unindex{}, any_, `delete from ledger_index where subject = $1 and chain = $2 and number = $3`},
	{ledger.Discard{}, any_, `delete from ledger_segments where chain = $1 and number = $2 and last_at < $3
		and not exists (select 1 from ledger_segments o where o.chain = $1 and o.number < $2)
		and exists (select 1 from ledger_segments o where o.chain = $1 and o.number > $2)`},

	{job.Ask{}, one, `insert into jobs (id, kind, query, actor, asked, matched, cursor, seen, did, state, changed, node, lease)
		values ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $5, $10, $11)`},
	{job.Step{}, one, `update jobs set cursor = $3, seen = seen + $4, did = did + $5, state = $6, node = $7, lease = $8, changed = $9 where id = $1 and cursor = $2 and state = 1`},
	{job.Turn{}, one, `update jobs set state = $3, changed = $4, lease = 0 where id = $1 and state = $2`},
	{job.Forget{}, any_, `delete from jobs where state = 3 and changed < $1`},
}

// rank finds a write's line by its type: its place is the order of locks.
var rank = func() map[reflect.Type]int {
	m := make(map[reflect.Type]int, len(kinds))
	for i, k := range kinds {
		m[reflect.TypeOf(k.sample)] = i
	}
	return m
}()

// Kinds lists a sample of every write there is, for the storage tests.
func Kinds() []core.Write {
	out := make([]core.Write, len(kinds))
	for i, k := range kinds {
		out[i] = k.sample
	}
	return out
}
