-- +goose Up
-- Catalogue versions that were added to those of the program, as the files
-- that were given; and prices agreed with single payers.

CREATE TABLE catalog_version (
	id TEXT PRIMARY KEY,
	effective_from TEXT NOT NULL UNIQUE,
	document TEXT NOT NULL,
	sha256 TEXT NOT NULL,
	added_by TEXT NOT NULL,
	added_at BIGINT NOT NULL
);

CREATE TABLE price_override (
	payer TEXT NOT NULL,
	id TEXT NOT NULL,
	item TEXT NOT NULL,
	currency TEXT NOT NULL,
	price_group TEXT NOT NULL,
	class TEXT NOT NULL,
	price TEXT NOT NULL,
	first_day TEXT NOT NULL,
	last_day TEXT NOT NULL,
	reason TEXT NOT NULL,
	added_by TEXT NOT NULL,
	added_at BIGINT NOT NULL,
	PRIMARY KEY (payer, id)
) {{without_rowid}};
CREATE UNIQUE INDEX price_override_id ON price_override (id);
CREATE INDEX price_override_day ON price_override (first_day, last_day);
