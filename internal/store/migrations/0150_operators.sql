-- +goose Up
-- What each operator is there for, and since when he is disabled. Who was an
-- operator before roles could do everything.

ALTER TABLE operator_account ADD COLUMN role TEXT NOT NULL DEFAULT 'admin';
ALTER TABLE operator_account ADD COLUMN disabled_at BIGINT NOT NULL DEFAULT 0;
