-- +goose Up
-- Red-letter invoices: what reverses an issued invoice, with a number of its
-- own without gaps.

ALTER TABLE invoice_request ADD COLUMN red_series TEXT NOT NULL DEFAULT '';
ALTER TABLE invoice_request ADD COLUMN red_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE invoice_request ADD COLUMN red_tax_number TEXT NOT NULL DEFAULT '';
ALTER TABLE invoice_request ADD COLUMN red_tax_day TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX invoice_request_red ON invoice_request (red_series, red_seq) WHERE red_series <> '';
CREATE UNIQUE INDEX invoice_request_red_tax_number ON invoice_request (red_tax_number) WHERE red_tax_number <> '';
