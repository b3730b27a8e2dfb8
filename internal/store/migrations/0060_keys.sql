-- +goose Up
-- Keys of the read API. They have no end but can be revoked. Sign-ins of
-- people are in api_key, apart from these.

CREATE TABLE reader_key (
	id TEXT PRIMARY KEY,
	hash TEXT NOT NULL UNIQUE,
	scope TEXT NOT NULL,
	holder TEXT NOT NULL,
	name TEXT NOT NULL,
	made_by TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	revoked_at BIGINT NOT NULL,
	used_on TEXT NOT NULL
);
CREATE INDEX reader_key_holder ON reader_key (scope, holder, created_at);
CREATE UNIQUE INDEX reader_key_name ON reader_key (scope, holder, name) WHERE revoked_at = 0;
