-- What a permission means, in the operator's words.
create table scopes (
	name     text primary key,
	says     text not null,
	optional {{int}} not null,
	changed  {{int}} not null
);
