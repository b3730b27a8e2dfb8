-- +goose Up
-- Invoices: profiles and addresses of an account, requests with their lines,
-- and accounts that need no cash balance to request. A line that is live holds
-- its item: an item is on one live request at most.

CREATE TABLE invoice_profile (
	account_id TEXT NOT NULL,
	id TEXT NOT NULL,
	type TEXT NOT NULL,
	title TEXT NOT NULL,
	tax_number TEXT NOT NULL,
	bank TEXT NOT NULL,
	bank_account TEXT NOT NULL,
	registered_address TEXT NOT NULL,
	registered_phone TEXT NOT NULL,
	changed_at BIGINT NOT NULL,
	PRIMARY KEY (account_id, id)
) {{without_rowid}};

CREATE TABLE invoice_address (
	account_id TEXT NOT NULL,
	id TEXT NOT NULL,
	recipient TEXT NOT NULL,
	phone TEXT NOT NULL,
	email TEXT NOT NULL,
	postal TEXT NOT NULL,
	changed_at BIGINT NOT NULL,
	PRIMARY KEY (account_id, id)
) {{without_rowid}};

CREATE TABLE invoice_request (
	id TEXT PRIMARY KEY,
	account_id TEXT NOT NULL,
	series TEXT NOT NULL,
	seq BIGINT NOT NULL,
	currency TEXT NOT NULL,
	total BIGINT NOT NULL,
	user_name TEXT NOT NULL,
	company TEXT NOT NULL,
	taxpayer_id TEXT NOT NULL,
	profile TEXT NOT NULL,
	address TEXT NOT NULL,
	waived BIGINT NOT NULL,
	requested_at BIGINT NOT NULL,
	state TEXT NOT NULL,
	tax_number TEXT NOT NULL,
	tax_day TEXT NOT NULL,
	file_id TEXT NOT NULL,
	file_name TEXT NOT NULL,
	issued_by TEXT NOT NULL,
	issued_at BIGINT NOT NULL,
	delivery TEXT NOT NULL,
	sent_by TEXT NOT NULL,
	sent_at BIGINT NOT NULL,
	closed_by TEXT NOT NULL,
	closed_at BIGINT NOT NULL,
	reason TEXT NOT NULL
);
CREATE UNIQUE INDEX invoice_request_number ON invoice_request (series, seq);
CREATE UNIQUE INDEX invoice_request_tax_number ON invoice_request (tax_number) WHERE tax_number <> '';
CREATE INDEX invoice_request_account ON invoice_request (account_id, requested_at);
CREATE INDEX invoice_request_state ON invoice_request (state, requested_at);

CREATE TABLE invoice_line (
	request_id TEXT NOT NULL,
	position BIGINT NOT NULL,
	account_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	item_id TEXT NOT NULL,
	label TEXT NOT NULL,
	month TEXT NOT NULL,
	day TEXT NOT NULL,
	total BIGINT NOT NULL,
	cash BIGINT NOT NULL,
	repaid BIGINT NOT NULL,
	amount BIGINT NOT NULL,
	live BIGINT NOT NULL,
	PRIMARY KEY (request_id, position)
) {{without_rowid}};
CREATE UNIQUE INDEX invoice_line_item ON invoice_line (kind, item_id) WHERE live = 1;
CREATE INDEX invoice_line_account ON invoice_line (account_id);

CREATE TABLE invoice_waiver (
	account_id TEXT PRIMARY KEY,
	waived BIGINT NOT NULL,
	reason TEXT NOT NULL,
	changed_by TEXT NOT NULL,
	changed_at BIGINT NOT NULL
);
