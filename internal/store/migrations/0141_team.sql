-- +goose Up
-- Who shall be in a team and as what, and what its payer is told of it.

CREATE TABLE promotion (
	id TEXT PRIMARY KEY,
	workspace_id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	from_role TEXT NOT NULL,
	to_role TEXT NOT NULL,
	requested_by TEXT NOT NULL,
	payer TEXT NOT NULL,
	requested_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	state TEXT NOT NULL,
	answered_at BIGINT NOT NULL,
	reason TEXT NOT NULL
);
CREATE UNIQUE INDEX promotion_pending ON promotion (workspace_id, account_id) WHERE state = 'pending';
CREATE INDEX promotion_workspace ON promotion (workspace_id, requested_at);
CREATE INDEX promotion_expiry ON promotion (expires_at) WHERE state = 'pending';

CREATE TABLE ownership_offer (
	workspace_id TEXT PRIMARY KEY,
	from_id TEXT NOT NULL,
	to_id TEXT NOT NULL,
	offered_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
) {{without_rowid}};

CREATE TABLE invitation (
	workspace_id TEXT NOT NULL,
	email TEXT NOT NULL,
	id TEXT NOT NULL UNIQUE,
	site TEXT NOT NULL,
	role TEXT NOT NULL,
	invited_by TEXT NOT NULL,
	invited_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, email)
) {{without_rowid}};
CREATE INDEX invitation_email ON invitation (site, email);

CREATE TABLE message (
	id TEXT PRIMARY KEY,
	account_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	about TEXT NOT NULL,
	args TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	read_at BIGINT NOT NULL
);
CREATE INDEX message_account ON message (account_id, created_at);
CREATE INDEX message_unread ON message (account_id) WHERE read_at = 0;

-- Up to when a member has read the notices of a workspace.
CREATE TABLE notice_read (
	workspace_id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	through BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, account_id)
) {{without_rowid}};
