-- +goose Up
-- High-consumption alerts: the thresholds of a workspace with those who are
-- told, and what was told already.

CREATE TABLE alert_rule (
	workspace_id TEXT NOT NULL,
	item TEXT NOT NULL,
	threshold BIGINT NOT NULL,
	currency TEXT NOT NULL,
	administrators BIGINT NOT NULL,
	recipients TEXT NOT NULL,
	set_at BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, item)
) {{without_rowid}};

CREATE TABLE alert_sent (
	workspace_id TEXT NOT NULL,
	item TEXT NOT NULL,
	day TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, item, day)
) {{without_rowid}};
