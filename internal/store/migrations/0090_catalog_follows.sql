-- +goose Up
-- Which version an added one was built on, so that a release with versions of
-- its own does not come between.

ALTER TABLE catalog_version ADD COLUMN follows TEXT NOT NULL DEFAULT '';
