-- +goose Up
-- The figures of the sentence that says why something is parked, so that it
-- can be said in the language of whoever reads it.

ALTER TABLE parked ADD COLUMN figures TEXT NOT NULL DEFAULT '';
ALTER TABLE statement_parked ADD COLUMN figures TEXT NOT NULL DEFAULT '';
