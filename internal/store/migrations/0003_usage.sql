-- +goose Up
-- What happened, by hour; the exact sets behind the distinct counts, by day.

CREATE TABLE usage_sample (
	workspace_id TEXT NOT NULL,
	generation BIGINT NOT NULL,
	hour BIGINT NOT NULL,
	item TEXT NOT NULL,
	counter TEXT NOT NULL,
	class TEXT NOT NULL,
	quantity BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, generation, hour, item, counter, class)
) {{without_rowid}};

CREATE TABLE usage_member (
	workspace_id TEXT NOT NULL,
	generation BIGINT NOT NULL,
	day TEXT NOT NULL,
	item TEXT NOT NULL,
	counter TEXT NOT NULL,
	class TEXT NOT NULL,
	member BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, generation, day, item, counter, class, member)
) {{without_rowid}};
CREATE INDEX usage_member_day ON usage_member (day);

CREATE TABLE usage_distinct (
	workspace_id TEXT NOT NULL,
	generation BIGINT NOT NULL,
	day TEXT NOT NULL,
	item TEXT NOT NULL,
	counter TEXT NOT NULL,
	class TEXT NOT NULL,
	quantity BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, generation, day, item, counter, class)
) {{without_rowid}};

-- How far each gateway got: batches at or below the mark add nothing.
CREATE TABLE usage_gateway (
	gateway TEXT PRIMARY KEY,
	epoch BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	through BIGINT NOT NULL
);
