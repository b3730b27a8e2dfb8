-- +goose Up
-- What services of the platform said that workspaces used: an event counts
-- once. What it counted is in the usage itself.

CREATE TABLE usage_event (
	source TEXT NOT NULL,
	id TEXT NOT NULL,
	workspace_id TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	received_at BIGINT NOT NULL,
	PRIMARY KEY (source, id)
) {{without_rowid}};
CREATE INDEX usage_event_received ON usage_event (received_at);

-- +goose Down
DROP TABLE usage_event;
