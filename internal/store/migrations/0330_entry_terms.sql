-- +goose Up
-- What an entry that issues a voucher or card says of it, within its hash:
-- until when it holds and how it came about. Entries from before say nothing,
-- and have the hash that they had.

ALTER TABLE ledger_entry ADD COLUMN terms TEXT NOT NULL DEFAULT '';
