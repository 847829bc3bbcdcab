-- Authorization requests that applications gave to the server itself, until
-- nobody waits for them any more. body is the request: a JSON object.
create table pushed (
	hash      {{blob}} primary key,
	client_id text not null,
	body      {{blob}} not null,
	created   {{int}} not null,
	until     {{int}} not null
);
create index pushed_by_end on pushed (until);
