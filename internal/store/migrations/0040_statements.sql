-- +goose Up
-- Monthly statements: one immutable document per Billing Center account and
-- month, which bill is on which, and the accounts whose statement waits.

CREATE TABLE statement (
	payer TEXT NOT NULL,
	month TEXT NOT NULL,
	id TEXT NOT NULL,
	series TEXT NOT NULL,
	seq BIGINT NOT NULL,
	currency TEXT NOT NULL,
	bills BIGINT NOT NULL,
	total BIGINT NOT NULL,
	issued_at BIGINT NOT NULL,
	document TEXT NOT NULL,
	hash TEXT NOT NULL,
	PRIMARY KEY (payer, month)
);
CREATE UNIQUE INDEX statement_id ON statement (id);
CREATE UNIQUE INDEX statement_number ON statement (series, seq);

CREATE TABLE statement_bill (
	payer TEXT NOT NULL,
	day TEXT NOT NULL,
	workspace_id TEXT NOT NULL,
	statement_id TEXT NOT NULL,
	PRIMARY KEY (payer, day, workspace_id)
) {{without_rowid}};
CREATE INDEX statement_bill_statement ON statement_bill (statement_id, day, workspace_id);

CREATE TABLE statement_parked (
	payer TEXT NOT NULL,
	month TEXT NOT NULL,
	code TEXT NOT NULL,
	reason TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (payer, month)
) {{without_rowid}};
