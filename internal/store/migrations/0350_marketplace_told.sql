-- +goose Up
-- What a record tells the cloud of each workspace, which differs from its
-- charges by what is carried: split as the charges are, and what is over goes
-- to the first one.

ALTER TABLE marketplace_share ADD COLUMN told BIGINT NOT NULL DEFAULT 0;

UPDATE marketplace_share
SET told = (SELECT r.minor FROM marketplace_record r WHERE r.id = marketplace_share.record_id) * minor
	/ (SELECT CAST(SUM(s.minor) AS BIGINT) FROM marketplace_share s WHERE s.record_id = marketplace_share.record_id);

UPDATE marketplace_share
SET told = told + (SELECT r.minor FROM marketplace_record r WHERE r.id = marketplace_share.record_id)
	- (SELECT CAST(SUM(s.told) AS BIGINT) FROM marketplace_share s WHERE s.record_id = marketplace_share.record_id)
WHERE workspace_id = (SELECT MIN(s.workspace_id) FROM marketplace_share s WHERE s.record_id = marketplace_share.record_id);
