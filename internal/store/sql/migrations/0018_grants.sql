-- How often an application was given something in a minute, where nothing else
-- changed: the same case is one row, opened before the first token leaves.
create table ledger_issues (
	client_id text not null,
	minute    {{int}} not null,
	exchange  {{int}} not null,
	network   text not null,
	checks    text not null,
	count     {{int}} not null,
	primary key (client_id, minute, exchange, network)
);
create index ledger_issues_by_minute on ledger_issues (minute);

-- Whose tokens a machine may trade for its own: an issuer, where its keys are,
-- and what must stand in a token of it. rule is a JSON object.
create table federations (
	id        {{blob}} primary key,
	client_id text not null,
	issuer    text not null,
	rule      text not null,
	created   {{int}} not null
);
create index federations_by_client on federations (client_id);
