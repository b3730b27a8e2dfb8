-- +goose Up
-- For how long each type of data is kept, and from when.

CREATE TABLE retention_setting (
	workspace_id TEXT NOT NULL,
	data_type TEXT NOT NULL,
	log_index TEXT NOT NULL,
	class TEXT NOT NULL,
	since BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	pending TEXT NOT NULL,
	pending_at BIGINT NOT NULL,
	pending_by TEXT NOT NULL,
	revision BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, data_type, log_index)
) {{without_rowid}};
CREATE INDEX retention_setting_pending ON retention_setting (pending_at) WHERE pending_at > 0;

-- Every class that began to hold, for ever.
CREATE TABLE retention_change (
	workspace_id TEXT NOT NULL,
	data_type TEXT NOT NULL,
	log_index TEXT NOT NULL,
	revision BIGINT NOT NULL,
	before TEXT NOT NULL,
	class TEXT NOT NULL,
	at BIGINT NOT NULL,
	actor_id TEXT NOT NULL,
	PRIMARY KEY (workspace_id, data_type, log_index, revision)
) {{without_rowid}};
CREATE INDEX retention_change_at ON retention_change (at);

-- A series is a member of its day once, in the class in which it first
-- reported: when the class changes within the day, the day's count is split and
-- not doubled.
CREATE TABLE usage_member_once (
	workspace_id TEXT NOT NULL,
	generation BIGINT NOT NULL,
	day TEXT NOT NULL,
	item TEXT NOT NULL,
	counter TEXT NOT NULL,
	member BIGINT NOT NULL,
	class TEXT NOT NULL,
	PRIMARY KEY (workspace_id, generation, day, item, counter, member)
) {{without_rowid}};
INSERT INTO usage_member_once (workspace_id, generation, day, item, counter, member, class)
SELECT workspace_id, generation, day, item, counter, member, MIN(class)
FROM usage_member
GROUP BY workspace_id, generation, day, item, counter, member;
DROP TABLE usage_member;
ALTER TABLE usage_member_once RENAME TO usage_member;
CREATE INDEX usage_member_day ON usage_member (day);
