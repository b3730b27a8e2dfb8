-- +goose Up
-- What each verification of the books found; the newest counts.

CREATE TABLE verdict (
	at BIGINT PRIMARY KEY,
	findings BIGINT NOT NULL,
	document TEXT NOT NULL
);
