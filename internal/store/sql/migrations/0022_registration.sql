-- Initial access tokens, by which an application may register itself (RFC 7591
-- section 3), and what each that did proves itself with to change that (RFC
-- 7592). Only hashes are kept.
create table initial_tokens (
	id      {{blob}} primary key,
	hash    {{blob}} not null unique,
	uses    {{int}} not null,
	created {{int}} not null,
	expires {{int}} not null
);
create table registrations (
	client_id text primary key,
	hash      {{blob}} not null,
	created   {{int}} not null
);
