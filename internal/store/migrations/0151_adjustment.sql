-- +goose Up
-- Corrections of what payers have, proposed by one operator and approved by
-- another one.

CREATE TABLE adjustment (
	id TEXT PRIMARY KEY,
	account_id TEXT NOT NULL,
	currency TEXT NOT NULL,
	minor BIGINT NOT NULL,
	reason TEXT NOT NULL,
	bill_id TEXT NOT NULL,
	bill_number TEXT NOT NULL,
	state TEXT NOT NULL,
	proposed_by TEXT NOT NULL,
	proposed_at BIGINT NOT NULL,
	decided_by TEXT NOT NULL,
	decided_at BIGINT NOT NULL,
	refusal TEXT NOT NULL
);
CREATE INDEX adjustment_account ON adjustment (account_id, proposed_at);
CREATE UNIQUE INDEX adjustment_once ON adjustment (account_id, minor, bill_number, reason) WHERE state = 'proposed';
CREATE INDEX adjustment_state ON adjustment (state, proposed_at);
