-- +goose Up
-- What moves with nearly every entry of a payer stands in one row, his purse:
-- the end of his chain and his cash. A deduction that his cash paid alone is
-- one row as well: its entry says the amount, and its two postings follow from
-- that. Keys are compared byte by byte, as SQLite does anyway.

{{postgres}} ALTER TABLE ledger_entry ALTER COLUMN payer TYPE TEXT COLLATE "C", ALTER COLUMN key TYPE TEXT COLLATE "C";
{{postgres}} ALTER TABLE ledger_posting ALTER COLUMN payer TYPE TEXT COLLATE "C", ALTER COLUMN account TYPE TEXT COLLATE "C";

ALTER TABLE ledger_entry ADD COLUMN currency TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger_entry ADD COLUMN cash BIGINT NOT NULL DEFAULT 0;

CREATE TABLE purse (
	payer TEXT PRIMARY KEY,
	n BIGINT NOT NULL,
	hash TEXT NOT NULL,
	currency TEXT NOT NULL DEFAULT '',
	cash BIGINT NOT NULL DEFAULT 0
) {{without_rowid}};
{{postgres}} ALTER TABLE purse ALTER COLUMN payer TYPE TEXT COLLATE "C";
{{postgres}} ALTER TABLE purse SET (fillfactor = 50);

INSERT INTO purse (payer, n, hash, currency, cash)
SELECT SUBSTR(c.name, 8), c.n, c.hash, COALESCE(b.currency, ''), COALESCE(b.minor, 0)
FROM chain c
LEFT JOIN ledger_balance b ON b.payer = SUBSTR(c.name, 8) AND b.account = 'cash:' || b.payer
WHERE SUBSTR(c.name, 1, 7) = 'ledger:';

DELETE FROM chain
WHERE SUBSTR(name, 1, 7) = 'ledger:';

DELETE FROM ledger_balance
WHERE account = 'cash:' || payer;
