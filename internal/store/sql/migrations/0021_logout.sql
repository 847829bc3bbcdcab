-- Which applications took part in a session: they are told when it ends.
create table parties (
	session_id {{blob}} not null,
	client_id  text not null,
	user_id    {{blob}} not null,
	at         {{int}} not null,
	primary key (session_id, client_id)
);
create index parties_by_user on parties (user_id);
create index parties_by_age on parties (at);
