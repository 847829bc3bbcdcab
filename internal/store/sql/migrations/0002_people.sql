-- What people do for themselves: proofs sent by mail, mails that wait, and the
-- budgets that bound both.

alter table users add column admin {{int}} not null default 0;

-- What is spent once: links and codes sent by mail. One lives for each use and
-- subject: a newer one takes the row of the older.
create table once (
	id      {{blob}} primary key,
	use     {{int}} not null,
	subject {{blob}} not null,
	user_id {{blob}} not null,
	link    {{blob}} not null unique,
	code    {{blob}} not null,
	browser {{blob}} not null,
	rev     {{int}} not null,
	tries   {{int}} not null,
	created {{int}} not null,
	expires {{int}} not null,
	spent   {{int}} not null,
	body    {{blob}} not null,
	unique (use, subject)
);

create table outbox (
	id      {{blob}} primary key,
	kind    {{int}} not null,
	user_id {{blob}} not null,
	created {{int}} not null,
	due     {{int}} not null,
	expires {{int}} not null,
	tries   {{int}} not null,
	sealed  {{blob}} not null
);
create index outbox_by_due on outbox (due);

-- Budgets that nodes share: the theoretical arrival time of each.
create table budgets (
	key {{blob}} primary key,
	tat {{int}} not null
);
