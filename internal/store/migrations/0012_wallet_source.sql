-- +goose Up
-- Vouchers and stored-value cards. What is left of one is the balance of its
-- account in the ledger.

CREATE TABLE wallet_source (
	id TEXT PRIMARY KEY,
	payer TEXT NOT NULL,
	payment TEXT NOT NULL,
	account TEXT NOT NULL,
	currency TEXT NOT NULL,
	face BIGINT NOT NULL,
	issued_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX wallet_source_account ON wallet_source (account);
CREATE INDEX wallet_source_payer ON wallet_source (payer, ended_at);
CREATE INDEX wallet_source_expires ON wallet_source (expires_at) WHERE expires_at > 0 AND ended_at = 0;
