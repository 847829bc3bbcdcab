-- The instants after which a row may go. Both are set once, so keeping them in
-- order costs an update nothing.
create index sessions_by_end on sessions (max_until);
create index families_by_end on families (max_until);
