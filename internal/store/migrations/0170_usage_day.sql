-- +goose Up
-- What happened, one record for a workspace's generation and service day: a
-- bill reads a day as a whole, and reading it by hours cost more than all the
-- rest. Migration 171 fills it from usage_sample.

CREATE TABLE usage_day (
	day TEXT NOT NULL,
	workspace_id TEXT NOT NULL,
	generation BIGINT NOT NULL,
	record {{blob}} NOT NULL,
	PRIMARY KEY (day, workspace_id, generation)
);
