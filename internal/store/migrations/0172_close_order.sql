-- +goose Up
-- A close reads of a workspace what its bill needs from the index that gives
-- its order, and compares keys byte by byte, as SQLite does anyway.

DROP INDEX workspace_close;
CREATE INDEX workspace_close ON workspace (site, plan, payer, id, generation, settlement, upgraded_at);

{{postgres}} ALTER TABLE usage_day ALTER COLUMN day TYPE TEXT COLLATE "C", ALTER COLUMN workspace_id TYPE TEXT COLLATE "C";
{{postgres}} ALTER TABLE bill ALTER COLUMN day TYPE TEXT COLLATE "C", ALTER COLUMN workspace_id TYPE TEXT COLLATE "C",
{{postgres}} 	ALTER COLUMN series TYPE TEXT COLLATE "C", ALTER COLUMN payer TYPE TEXT COLLATE "C";
