-- What an application is registered with beyond its own columns: a JSON object
-- whose members are those of RFC 7591, and ours.
alter table clients add column settings text not null default '{}';

-- What a person allowed an application: one row for both, whose id is the
-- grant_id of the tokens that hang on it.
create table consents (
	id        {{blob}} primary key,
	user_id   {{blob}} not null references users (id),
	client_id text not null,
	scopes    text not null,
	terms     text not null,
	rev       {{int}} not null,
	cut       {{int}} not null,
	created   {{int}} not null,
	changed   {{int}} not null,
	unique (user_id, client_id)
);

-- The consent that a family hangs on, zero for those of the session API, and
-- what was agreed for its tokens: a JSON object.
alter table families add column consent_id {{blob}} not null default {{nothing}};
alter table families add column terms text not null default '{}';
create index families_by_consent on families (consent_id) where ended = 0;

-- What was used and may not be used again, until nobody would believe it any
-- more: codes, assertions, proofs. bought is what it was traded for.
create table spent (
	use    {{int}} not null,
	hash   {{blob}} not null,
	until  {{int}} not null,
	bought {{blob}} not null,
	primary key (use, hash)
);
create index spent_by_end on spent (until);
