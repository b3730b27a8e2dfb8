-- +goose Up
-- Workspaces on their way to another account of the same company.

CREATE TABLE rebind_draft (
	workspace_id TEXT NOT NULL,
	actor_id TEXT NOT NULL,
	billing_id TEXT NOT NULL,
	user_name TEXT NOT NULL,
	email TEXT NOT NULL,
	named_at BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, actor_id)
) {{without_rowid}};
