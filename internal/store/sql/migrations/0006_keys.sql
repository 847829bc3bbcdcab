-- A key makes new things from since on, and is known before that. Its private
-- part is sealed under a data key of its own; wrapped is that data key under
-- the key-encryption key, and empty in rows of older versions, which lie under
-- the key-encryption key itself. compromised is an instant from here on.
-- public is the public half of a pair: it outlives the private part.
alter table keys add column since {{int}} not null default 0;
alter table keys add column wrapped {{blob}};
alter table keys add column public {{blob}};
update keys set since = created;
