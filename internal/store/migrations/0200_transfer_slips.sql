-- +goose Up
-- Bank transfers: what arrived, the operator who entered it where a second one
-- credits it, and the slips that payers send along.

ALTER TABLE transfer ADD COLUMN slips BIGINT NOT NULL DEFAULT 0;
ALTER TABLE transfer ADD COLUMN arrived_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE transfer ADD COLUMN difference TEXT NOT NULL DEFAULT '';
ALTER TABLE transfer ADD COLUMN proposed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE transfer ADD COLUMN proposed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE transfer ADD COLUMN returned TEXT NOT NULL DEFAULT '';

UPDATE transfer SET arrived_minor = minor WHERE state = 'credited';

CREATE TABLE transfer_slip (
	transfer_id TEXT NOT NULL,
	position BIGINT NOT NULL,
	attachment_id TEXT NOT NULL,
	PRIMARY KEY (transfer_id, position)
) {{without_rowid}};
