-- +goose Up
-- A member counts once a day, in the class in which it came first, whichever
-- gateway saw it: its class is no longer part of the key.

ALTER TABLE usage_member RENAME TO usage_member_by_class;
DROP INDEX usage_member_day;

CREATE TABLE usage_member (
	workspace_id TEXT NOT NULL,
	generation BIGINT NOT NULL,
	day TEXT NOT NULL,
	item TEXT NOT NULL,
	counter TEXT NOT NULL,
	member BIGINT NOT NULL,
	class TEXT NOT NULL,
	PRIMARY KEY (workspace_id, generation, day, item, counter, member)
) {{without_rowid}};
CREATE INDEX usage_member_day ON usage_member (day);

INSERT INTO usage_member (workspace_id, generation, day, item, counter, member, class)
SELECT workspace_id, generation, day, item, counter, member, MIN(class)
FROM usage_member_by_class
GROUP BY workspace_id, generation, day, item, counter, member;

DROP TABLE usage_member_by_class;
