-- +goose Up
-- Credentials of clouds that an operator entered, sealed with a key that is not
-- in the store. The tail is what a person knows one by.

CREATE TABLE marketplace_credential (
	cloud TEXT NOT NULL,
	name TEXT NOT NULL,
	sealed_by TEXT NOT NULL,
	box {{blob}} NOT NULL,
	tail TEXT NOT NULL,
	set_at BIGINT NOT NULL,
	set_by TEXT NOT NULL,
	PRIMARY KEY (cloud, name)
) {{without_rowid}};
