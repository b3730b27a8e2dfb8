-- +goose Up
-- How each voucher and card came about, whether its payer was told that it
-- ends, and the codes by which vouchers and cards are activated. Of a code
-- there is a hash and its last four characters, never the code.

ALTER TABLE wallet_source ADD COLUMN origin TEXT NOT NULL DEFAULT 'given';
ALTER TABLE wallet_source ADD COLUMN came_from TEXT NOT NULL DEFAULT '';
ALTER TABLE wallet_source ADD COLUMN tail TEXT NOT NULL DEFAULT '';
ALTER TABLE wallet_source ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE wallet_source ADD COLUMN told_end BIGINT NOT NULL DEFAULT 0;
CREATE INDEX wallet_source_told ON wallet_source (expires_at, payer) WHERE expires_at > 0 AND ended_at = 0 AND told_end = 0;
CREATE INDEX wallet_source_issued ON wallet_source (payer, issued_at, id);
CREATE INDEX ledger_posting_account ON ledger_posting (payer, account, number);

CREATE TABLE code_batch (
	id TEXT PRIMARY KEY,
	payment TEXT NOT NULL,
	currency TEXT NOT NULL,
	face BIGINT NOT NULL,
	size BIGINT NOT NULL,
	redeem_by TEXT NOT NULL,
	holds_days BIGINT NOT NULL,
	holds_until TEXT NOT NULL,
	note TEXT NOT NULL,
	made_by TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	exported_at BIGINT NOT NULL
);
CREATE INDEX code_batch_made ON code_batch (made_at, id);

CREATE TABLE activation_code (
	hash TEXT PRIMARY KEY,
	batch_id TEXT NOT NULL,
	number BIGINT NOT NULL,
	tail TEXT NOT NULL,
	payer TEXT NOT NULL,
	source_id TEXT NOT NULL,
	used_at BIGINT NOT NULL,
	revoked_at BIGINT NOT NULL
) {{without_rowid}};
CREATE UNIQUE INDEX activation_code_number ON activation_code (batch_id, number);
CREATE UNIQUE INDEX activation_code_source ON activation_code (source_id) WHERE source_id <> '';

CREATE TABLE activation_try (
	subject TEXT PRIMARY KEY,
	tries BIGINT NOT NULL,
	since BIGINT NOT NULL
) {{without_rowid}};
