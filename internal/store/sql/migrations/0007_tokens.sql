-- The format of an application's access tokens: jwt or opaque.
alter table clients add column token_format text not null default 'jwt';

-- Work that is too long for one unit. The rows are few and live long enough to
-- be read by those who asked.
create table jobs (
	id      {{blob}} primary key,
	kind    text not null,
	query   text not null,
	actor   text not null,
	asked   {{int}} not null,
	matched {{int}} not null,
	cursor  {{blob}} not null,
	seen    {{int}} not null,
	did     {{int}} not null,
	state   {{int}} not null,
	changed {{int}} not null,
	node    {{blob}} not null,
	lease   {{int}} not null
);
