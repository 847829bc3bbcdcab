-- Browsers that people signed in from before, by a hash of the mark that each
-- keeps for each person.
create table devices (
	key     {{blob}} primary key,
	user_id {{blob}} not null references users (id),
	created {{int}} not null,
	seen    {{int}} not null
);
create index devices_by_user on devices (user_id);

-- A password that its person called into question opens nothing until it was
-- replaced.
alter table passwords add column distrusted {{int}} not null default 0;
