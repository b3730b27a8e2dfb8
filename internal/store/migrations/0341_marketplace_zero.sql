-- +goose Up
-- When a subscription is next asked about for a record of nothing.

CREATE TABLE marketplace_zero (
	subscription_id TEXT PRIMARY KEY,
	next_at BIGINT NOT NULL
);
