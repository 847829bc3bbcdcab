-- Types in double braces differ between the engines; dialect.go fills them in.
-- Instants are microseconds in UTC, 0 for never. Identifiers are 16 bytes.

create table deployment (
	one     {{int}} primary key check (one = 1),
	issuer  text not null,
	mode    text not null,
	created {{int}} not null
);

-- One row. Its lock makes the order of positions the order of commits.
create table feed_head (
	one {{int}} primary key check (one = 1),
	seq {{int}} not null
);
insert into feed_head (one, seq) values (1, 0);

create table feed_events (
	seq        {{int}} not null,
	unit       text not null,
	name       text not null,
	at         {{int}} not null,
	not_before {{int}} not null,
	until      {{int}} not null,
	primary key (seq, unit, name)
);

create table users (
	id       {{blob}} primary key,
	email    text not null,
	address  text not null unique,
	name     text not null,
	verified {{int}} not null,
	state    {{int}} not null,
	guard    {{int}} not null,
	cut      {{int}} not null,
	created  {{int}} not null
);

create table passwords (
	user_id {{blob}} primary key references users (id),
	phc     text not null,
	version {{int}} not null,
	changed {{int}} not null,
	used    {{int}} not null
);

create table clients (
	id            text primary key,
	name          text not null,
	type          text not null,
	first_party   {{int}} not null,
	auth          text not null,
	secret_hash   {{blob}} not null,
	redirect_uris text not null,
	post_logout   text not null,
	origins       text not null,
	resources     text not null,
	scopes        text not null,
	grants        text not null,
	paused        {{int}} not null,
	cut           {{int}} not null,
	created       {{int}} not null
);

create table client_origins (
	origin    text primary key,
	client_id text not null references clients (id)
);

create table sessions (
	id         {{blob}} primary key,
	user_id    {{blob}} not null references users (id),
	hash       {{blob}} not null unique,
	rev        {{int}} not null,
	cut        {{int}} not null,
	created    {{int}} not null,
	auth_time  {{int}} not null,
	idle_until {{int}} not null,
	max_until  {{int}} not null,
	last_seen  {{int}} not null,
	method     text not null,
	ip         text not null,
	user_agent text not null,
	ended      {{int}} not null,
	why        {{int}} not null
) {{hot}};
create index sessions_by_user on sessions (user_id);

create table families (
	id         {{blob}} primary key,
	client_id  text not null,
	session_id {{blob}} not null references sessions (id),
	user_id    {{blob}} not null,
	key_tag    {{blob}} not null,
	salt       {{blob}} not null,
	generation {{int}} not null,
	current    {{blob}} not null,
	rev        {{int}} not null,
	scopes     text not null,
	created    {{int}} not null,
	rotated_at {{int}} not null,
	idle_until {{int}} not null,
	max_until  {{int}} not null,
	ended      {{int}} not null
) {{hot}};
create index families_by_session on families (session_id);

create table keys (
	purpose     {{int}} not null,
	number      {{int}} not null,
	kid         text not null,
	alg         text not null,
	sealed      {{blob}} not null,
	created     {{int}} not null,
	compromised {{int}} not null,
	primary key (purpose, number)
);

create table failures (
	key   {{blob}} primary key,
	count {{int}} not null,
	last  {{int}} not null
);

create table known_networks (
	key   {{blob}} primary key,
	until {{int}} not null
);

create table ledger_open (
	id         {{blob}} primary key,
	at         {{int}} not null,
	chain      {{int}} not null,
	user_id    {{blob}} not null,
	session_id {{blob}} not null,
	body       {{blob}} not null
);

create table ledger_private (
	id   {{blob}} primary key,
	at   {{int}} not null,
	salt {{blob}} not null,
	body {{blob}} not null
);

create table ledger_segments (
	chain     {{int}} not null,
	number    {{int}} not null,
	count     {{int}} not null,
	first_at  {{int}} not null,
	last_at   {{int}} not null,
	prev      {{blob}} not null,
	body      {{blob}} not null,
	hash      {{blob}} not null,
	signature {{blob}} not null,
	primary key (chain, number)
);

create table ledger_index (
	subject {{blob}} not null,
	chain   {{int}} not null,
	number  {{int}} not null,
	primary key (subject, chain, number)
);

create table ledger_tally (
	minute       {{int}} not null,
	exchange     {{int}} not null,
	check_number {{int}} not null,
	network      text not null,
	count        {{int}} not null,
	primary key (minute, exchange, check_number, network)
);
