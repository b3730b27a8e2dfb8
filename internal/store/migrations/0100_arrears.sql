-- +goose Up
-- What stops a workspace: a clock for each cause, and the data that is to be
-- deleted of the locked and the dissolved.

CREATE TABLE arrears_clock (
	cause TEXT NOT NULL,
	subject TEXT NOT NULL,
	began_at BIGINT NOT NULL,
	lock_at BIGINT NOT NULL,
	stage TEXT NOT NULL,
	next_at BIGINT NOT NULL,
	extended_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	pending BIGINT NOT NULL,
	told BIGINT NOT NULL,
	PRIMARY KEY (cause, subject)
) {{without_rowid}};
CREATE INDEX arrears_clock_next ON arrears_clock (next_at) WHERE next_at > 0;
CREATE INDEX arrears_clock_pending ON arrears_clock (cause, subject) WHERE pending = 1;

CREATE TABLE clearing (
	workspace_id TEXT PRIMARY KEY,
	reason TEXT NOT NULL,
	since_at BIGINT NOT NULL,
	due_at BIGINT NOT NULL,
	next_at BIGINT NOT NULL,
	tries BIGINT NOT NULL,
	failure TEXT NOT NULL,
	deleted_at BIGINT NOT NULL,
	done_at BIGINT NOT NULL
) {{without_rowid}};
CREATE INDEX clearing_next ON clearing (next_at) WHERE done_at = 0;

-- Debts that are older than this table: they began when the ledger says, and
-- their fourteen days run from the last thing that the installation did.
INSERT INTO arrears_clock (cause, subject, began_at, lock_at, stage, next_at, extended_at, ended_at, pending, told)
SELECT 'arrears', d.payer, d.began_at, d.now + 1209600000000, 'running', d.now + 950400000000, d.now, 0, 1, 0
FROM (
	SELECT b.payer AS payer,
		(
			SELECT MIN(e.at)
			FROM ledger_entry e
			JOIN ledger_posting p ON p.payer = e.payer AND p.number = e.number AND p.account = b.account AND p.currency = b.currency
			WHERE e.payer = b.payer
				AND e.number > COALESCE((
					SELECT MAX(paid.number)
					FROM (
						SELECT payer, account, currency, number, SUM(minor) OVER (PARTITION BY payer, account, currency ORDER BY number) AS owed
						FROM ledger_posting
					) paid
					WHERE paid.payer = b.payer
						AND paid.account = b.account
						AND paid.currency = b.currency
						AND paid.owed >= 0
				), 0)
		) AS began_at,
		COALESCE((SELECT MAX(at) FROM audit), 0) AS now
	FROM ledger_balance b
	WHERE b.account = 'arrears:' || b.payer
		AND b.minor < 0
) d;
