-- The lifetime of an application's access tokens in microseconds where it is
-- its own: no event is forgotten before the longest of them.
alter table clients add column access_life {{int}} not null default 0;
create index clients_by_access_life on clients (access_life);
