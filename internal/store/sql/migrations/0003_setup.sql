-- Whether there ever was an administrator: then setup is over for good.
alter table deployment add column admin_ever {{int}} not null default 0;
update deployment set admin_ever = 1 where exists (select 1 from users where admin = 1);
