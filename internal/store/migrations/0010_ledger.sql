-- +goose Up
-- The ledger: append only, a chain of entries per payer, with stored balances
-- of the payers' accounts. The platform's own accounts are sums of postings.

CREATE TABLE ledger_entry (
	payer TEXT NOT NULL,
	number BIGINT NOT NULL,
	id TEXT NOT NULL,
	key TEXT NOT NULL,
	kind TEXT NOT NULL,
	cause TEXT NOT NULL,
	at BIGINT NOT NULL,
	previous TEXT NOT NULL,
	hash TEXT NOT NULL,
	PRIMARY KEY (payer, number)
) {{without_rowid}};
CREATE UNIQUE INDEX ledger_entry_key ON ledger_entry (key);

CREATE TABLE ledger_posting (
	payer TEXT NOT NULL,
	number BIGINT NOT NULL,
	position BIGINT NOT NULL,
	account TEXT NOT NULL,
	currency TEXT NOT NULL,
	minor BIGINT NOT NULL,
	PRIMARY KEY (payer, number, position)
) {{without_rowid}};

CREATE TABLE ledger_balance (
	payer TEXT NOT NULL,
	account TEXT NOT NULL,
	currency TEXT NOT NULL,
	minor BIGINT NOT NULL,
	PRIMARY KEY (payer, account, currency)
) {{without_rowid}};

CREATE TABLE transfer (
	id TEXT PRIMARY KEY,
	account_id TEXT NOT NULL,
	currency TEXT NOT NULL,
	minor BIGINT NOT NULL,
	reference TEXT NOT NULL,
	state TEXT NOT NULL,
	declared_at BIGINT NOT NULL,
	decided_by TEXT NOT NULL,
	decided_at BIGINT NOT NULL,
	reason TEXT NOT NULL
);
CREATE INDEX transfer_account ON transfer (account_id, declared_at);
CREATE INDEX transfer_state ON transfer (state, declared_at);
