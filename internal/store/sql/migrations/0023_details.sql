-- Types of authorization details: a JSON Schema of each, and a sentence for
-- people.
create table detail_types (
	name    text primary key,
	schema  text not null,
	says    text not null,
	changed {{int}} not null
);
