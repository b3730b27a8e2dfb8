-- +goose Up
-- Enterprise certification: what an account is certified for, what it
-- submitted, and the files that people send along.

ALTER TABLE billing_account ADD COLUMN certified_company TEXT NOT NULL DEFAULT '';
ALTER TABLE billing_account ADD COLUMN certified_taxpayer_id TEXT NOT NULL DEFAULT '';

CREATE TABLE attachment (
	id TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	type TEXT NOT NULL,
	hash TEXT NOT NULL,
	content {{blob}} NOT NULL,
	sent_at BIGINT NOT NULL
);

CREATE TABLE certification (
	id TEXT PRIMARY KEY,
	account_id TEXT NOT NULL,
	company TEXT NOT NULL,
	taxpayer_id TEXT NOT NULL,
	scan_id TEXT NOT NULL,
	state TEXT NOT NULL,
	submitted_at BIGINT NOT NULL,
	decided_by TEXT NOT NULL,
	decided_at BIGINT NOT NULL,
	reason TEXT NOT NULL
);
CREATE INDEX certification_account ON certification (account_id, submitted_at);
CREATE INDEX certification_state ON certification (state, submitted_at);
CREATE UNIQUE INDEX certification_waiting ON certification (account_id) WHERE state = 'submitted';
