-- +goose Up
-- The monthly statement that an adjustment stands on. Those from before go on
-- the next one.

ALTER TABLE adjustment ADD COLUMN statement_id TEXT NOT NULL DEFAULT '';
CREATE INDEX adjustment_statement ON adjustment (statement_id) WHERE statement_id <> '';
CREATE INDEX adjustment_bill ON adjustment (bill_id) WHERE bill_id <> '';
