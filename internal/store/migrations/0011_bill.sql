-- +goose Up
-- Daily bills: one immutable document per workspace and day, with what lists
-- and sums need kept beside it; and the close of each site's days.

CREATE TABLE bill (
	workspace_id TEXT NOT NULL,
	day TEXT NOT NULL,
	id TEXT NOT NULL,
	series TEXT NOT NULL,
	seq BIGINT NOT NULL,
	site TEXT NOT NULL,
	payer TEXT NOT NULL,
	settlement TEXT NOT NULL,
	generation BIGINT NOT NULL,
	currency TEXT NOT NULL,
	price_group TEXT NOT NULL,
	catalog TEXT NOT NULL,
	total BIGINT NOT NULL,
	paid_voucher BIGINT NOT NULL,
	paid_full_reduction BIGINT NOT NULL,
	paid_card BIGINT NOT NULL,
	paid_cash BIGINT NOT NULL,
	paid_cloud BIGINT NOT NULL,
	owed BIGINT NOT NULL,
	issued_at BIGINT NOT NULL,
	document TEXT NOT NULL,
	hash TEXT NOT NULL,
	PRIMARY KEY (workspace_id, day)
);
CREATE UNIQUE INDEX bill_id ON bill (id);
CREATE UNIQUE INDEX bill_number ON bill (series, seq);
CREATE INDEX bill_payer ON bill (payer, day);
CREATE INDEX bill_site_day ON bill (site, day, seq);

CREATE TABLE document_number (
	series TEXT PRIMARY KEY,
	last BIGINT NOT NULL
);

CREATE TABLE site_day (
	site TEXT NOT NULL,
	day TEXT NOT NULL,
	began_at BIGINT NOT NULL,
	closed_at BIGINT NOT NULL,
	bills BIGINT NOT NULL,
	parked BIGINT NOT NULL,
	series TEXT NOT NULL,
	through BIGINT NOT NULL,
	digest TEXT NOT NULL,
	previous TEXT NOT NULL,
	hash TEXT NOT NULL,
	PRIMARY KEY (site, day)
) {{without_rowid}};

CREATE TABLE parked (
	workspace_id TEXT NOT NULL,
	day TEXT NOT NULL,
	site TEXT NOT NULL,
	code TEXT NOT NULL,
	reason TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, day)
) {{without_rowid}};
CREATE INDEX parked_site ON parked (site, day);
