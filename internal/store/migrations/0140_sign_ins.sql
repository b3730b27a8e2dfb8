-- +goose Up
-- Where accounts are signed in, and changes of their addresses under way.

-- expires_at is of the machine's clock, the other times of the installation's.
CREATE TABLE sign_in (
	id TEXT PRIMARY KEY,
	system TEXT NOT NULL,
	account_id TEXT NOT NULL,
	channel TEXT NOT NULL,
	agent TEXT NOT NULL,
	address TEXT NOT NULL,
	via TEXT NOT NULL,
	token TEXT NOT NULL,
	began_at BIGINT NOT NULL,
	seen_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL
);
CREATE INDEX sign_in_account ON sign_in (system, account_id, began_at);
CREATE INDEX sign_in_via ON sign_in (via) WHERE via <> '';
CREATE INDEX sign_in_token ON sign_in (token) WHERE token <> '';

CREATE TABLE contact_change (
	system TEXT NOT NULL,
	account_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	value TEXT NOT NULL,
	began_at BIGINT NOT NULL,
	proved_at BIGINT NOT NULL,
	PRIMARY KEY (system, account_id, kind)
) {{without_rowid}};
