-- +goose Up
-- How far the close of a day has come, and the order in which it bills.

ALTER TABLE site_day ADD COLUMN total BIGINT NOT NULL DEFAULT 0;
ALTER TABLE site_day ADD COLUMN done BIGINT NOT NULL DEFAULT 0;
ALTER TABLE site_day ADD COLUMN after_payer TEXT NOT NULL DEFAULT '';
ALTER TABLE site_day ADD COLUMN after_workspace TEXT NOT NULL DEFAULT '';

DROP INDEX workspace_site_plan;
CREATE INDEX workspace_close ON workspace (site, plan, payer, id);

-- The bills of a site's day are found by their numbers.
DROP INDEX bill_site_day;
