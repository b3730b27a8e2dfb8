-- +goose Up
-- Bills in the order in which a close makes them: the chain of a series holds
-- every bill, a payer's bills of a lot share an entry of the ledger, and a
-- bill's ID is made of its workspace and day, so that neither needs an index.

CREATE TABLE series_bill (
	seq BIGINT NOT NULL,
	entry BIGINT NOT NULL,
	total BIGINT NOT NULL,
	paid_voucher BIGINT NOT NULL,
	paid_full_reduction BIGINT NOT NULL,
	paid_card BIGINT NOT NULL,
	paid_cash BIGINT NOT NULL,
	paid_cloud BIGINT NOT NULL,
	owed BIGINT NOT NULL,
	issued_at BIGINT NOT NULL,
	day TEXT NOT NULL,
	workspace_id TEXT NOT NULL,
	series TEXT NOT NULL,
	payer TEXT NOT NULL,
	currency TEXT NOT NULL,
	hash TEXT NOT NULL,
	document TEXT NOT NULL,
	PRIMARY KEY (day, workspace_id)
);

INSERT INTO series_bill (seq, entry, total, paid_voucher, paid_full_reduction, paid_card, paid_cash, paid_cloud, owed, issued_at,
	day, workspace_id, series, payer, currency, hash, document)
SELECT b.seq, COALESCE(e.number, 0), b.total, b.paid_voucher, b.paid_full_reduction, b.paid_card, b.paid_cash, b.paid_cloud, b.owed, b.issued_at,
	b.day, b.workspace_id, b.series, b.payer, b.currency, b.hash, b.document
FROM bill b
LEFT JOIN ledger_entry e ON e.key = 'bill:' || b.id;

DROP TABLE bill;
ALTER TABLE series_bill RENAME TO bill;
CREATE UNIQUE INDEX bill_number ON bill (series, seq);
CREATE INDEX bill_payer ON bill (payer, day);

DELETE FROM chain
WHERE SUBSTR(name, 1, 5) = 'bill:';
ALTER TABLE document_number ADD COLUMN link TEXT NOT NULL DEFAULT '';
ALTER TABLE site_day ADD COLUMN older TEXT NOT NULL DEFAULT '';
