-- +goose Up
-- Workspaces that were opened from a cloud's marketplace: no other cloud and
-- not the Billing Center may settle them.

CREATE TABLE marketplace_opened (
	workspace_id TEXT PRIMARY KEY,
	cloud TEXT NOT NULL,
	subscription_id TEXT NOT NULL,
	opened_at BIGINT NOT NULL
);
