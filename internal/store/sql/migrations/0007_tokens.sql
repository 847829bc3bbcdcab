-- The format of an application's access tokens: jwt or opaque.
alter table clients add column token_format text not null default 'jwt';
