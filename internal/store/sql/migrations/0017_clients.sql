-- A client's row is changed under its guard. One that was deleted keeps its id.
alter table clients add column guard {{int}} not null default 0;
alter table clients add column deleted {{int}} not null default 0;

-- The feed position below which its access tokens count for nothing.
alter table clients add column trimmed {{int}} not null default 0;

-- Its secret, and the one before, which goes on working for a while.
alter table clients add column secret_made {{int}} not null default 0;
alter table clients add column secret_used {{int}} not null default 0;
alter table clients add column former_hash {{blob}};
alter table clients add column former_made {{int}} not null default 0;
alter table clients add column former_used {{int}} not null default 0;
alter table clients add column former_until {{int}} not null default 0;
update clients set secret_made = created;

-- Whose pages an origin has. Unlike a claim, several may share one.
create table client_pages (
	origin    text not null,
	client_id text not null references clients (id),
	primary key (origin, client_id)
);
create index client_pages_by_client on client_pages (client_id);
insert into client_pages (origin, client_id) select origin, client_id from client_origins;
