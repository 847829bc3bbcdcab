-- Access tokens by a secret that one service shares: the algorithm for which an
-- application was turned on, and its secrets, sealed under a key of purpose
-- sharing. The newest signs; the others are known until they are dropped.
alter table clients add column shared_alg text not null default '';
create table shared_secrets (
	client_id text not null references clients (id),
	number    {{int}} not null,
	kid       text not null unique,
	alg       text not null,
	sealed    {{blob}} not null,
	created   {{int}} not null,
	primary key (client_id, number)
);
