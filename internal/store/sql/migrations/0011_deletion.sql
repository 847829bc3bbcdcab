-- When a person's account is to be deleted; of one that was, until what hung on
-- it is gone. 0 for never.
alter table users add column delete_at {{int}} not null default 0;
create index users_leaving on users (delete_at) where delete_at > 0;
create index once_by_user on once (user_id);
