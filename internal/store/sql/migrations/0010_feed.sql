-- The resources that tokens killed by an event may name, by line; none: any.
alter table feed_events add column audience text not null default '';
