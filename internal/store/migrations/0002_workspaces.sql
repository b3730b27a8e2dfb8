-- +goose Up
-- The tenants, their teams, and the one-way step to Commercial.

CREATE TABLE workspace (
	id TEXT PRIMARY KEY,
	site TEXT NOT NULL,
	name TEXT NOT NULL,
	language TEXT NOT NULL,
	owner_id TEXT NOT NULL,
	plan TEXT NOT NULL,
	generation BIGINT NOT NULL,
	state TEXT NOT NULL,
	payer TEXT NOT NULL,
	settlement TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	upgraded_at BIGINT NOT NULL,
	revision BIGINT NOT NULL
);
CREATE INDEX workspace_payer ON workspace (payer);
CREATE INDEX workspace_site_plan ON workspace (site, plan);

CREATE TABLE member (
	workspace_id TEXT NOT NULL,
	account_id TEXT NOT NULL,
	role TEXT NOT NULL,
	joined_at BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, account_id)
) {{without_rowid}};
CREATE INDEX member_account ON member (account_id);

CREATE TABLE token (
	secret TEXT PRIMARY KEY,
	workspace_id TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	ends_at BIGINT NOT NULL
);
CREATE INDEX token_workspace ON token (workspace_id);
CREATE UNIQUE INDEX token_current ON token (workspace_id) WHERE ends_at = 0;

CREATE TABLE notice (
	workspace_id TEXT NOT NULL,
	key TEXT NOT NULL,
	kind TEXT NOT NULL,
	args TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, key)
) {{without_rowid}};

CREATE TABLE upgrade_draft (
	workspace_id TEXT NOT NULL,
	actor_id TEXT NOT NULL,
	document TEXT NOT NULL,
	PRIMARY KEY (workspace_id, actor_id)
) {{without_rowid}};

-- One row per workspace and agreement: who agreed to what, when, from where.
CREATE TABLE agreed (
	workspace_id TEXT NOT NULL,
	version TEXT NOT NULL,
	document TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, version)
) {{without_rowid}};
