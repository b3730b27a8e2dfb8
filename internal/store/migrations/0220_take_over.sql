-- +goose Up
-- A re-binding that the other account began: when the Owner's code was right.

ALTER TABLE rebind_draft ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0;
