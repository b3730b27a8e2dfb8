-- +goose Up
-- Cash that comes in through payment channels: payments, what the channels
-- said of them (the inbox), refunds and disputes.

CREATE TABLE payment (
	id TEXT PRIMARY KEY,
	account_id TEXT NOT NULL,
	channel TEXT NOT NULL,
	currency TEXT NOT NULL,
	minor BIGINT NOT NULL,
	key TEXT NOT NULL,
	state TEXT NOT NULL,
	session TEXT NOT NULL,
	reference TEXT NOT NULL,
	url TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	paid_at BIGINT NOT NULL,
	credited_at BIGINT NOT NULL,
	refunded BIGINT NOT NULL,
	withheld BIGINT NOT NULL,
	asks BIGINT NOT NULL,
	next_ask_at BIGINT NOT NULL,
	problem TEXT NOT NULL,
	revision BIGINT NOT NULL
);
CREATE UNIQUE INDEX payment_key ON payment (account_id, key);
CREATE INDEX payment_account ON payment (account_id, created_at);
CREATE INDEX payment_created ON payment (created_at);
CREATE INDEX payment_reference ON payment (channel, reference) WHERE reference <> '';
CREATE INDEX payment_ask ON payment (next_ask_at) WHERE next_ask_at > 0;
CREATE INDEX payment_problem ON payment (created_at) WHERE problem <> '';

CREATE TABLE payment_notice (
	id TEXT PRIMARY KEY,
	channel TEXT NOT NULL,
	event TEXT NOT NULL,
	type TEXT NOT NULL,
	payment_id TEXT NOT NULL,
	named TEXT NOT NULL,
	reference TEXT NOT NULL,
	outcome TEXT NOT NULL,
	currency TEXT NOT NULL,
	minor BIGINT NOT NULL,
	dispute TEXT NOT NULL,
	won BIGINT NOT NULL,
	odd TEXT NOT NULL,
	state TEXT NOT NULL,
	reason TEXT NOT NULL,
	received_at BIGINT NOT NULL,
	decided_at BIGINT NOT NULL,
	decided_by TEXT NOT NULL,
	remark TEXT NOT NULL
);
CREATE UNIQUE INDEX payment_notice_event ON payment_notice (channel, event);
CREATE INDEX payment_notice_payment ON payment_notice (payment_id, received_at);
CREATE INDEX payment_notice_open ON payment_notice (state, received_at) WHERE state IN ('parked', 'waiting');

CREATE TABLE payment_refund (
	id TEXT PRIMARY KEY,
	payment_id TEXT NOT NULL,
	key TEXT NOT NULL,
	currency TEXT NOT NULL,
	minor BIGINT NOT NULL,
	state TEXT NOT NULL,
	reason TEXT NOT NULL,
	asked_by TEXT NOT NULL,
	asked_at BIGINT NOT NULL,
	done_at BIGINT NOT NULL,
	problem TEXT NOT NULL
);
CREATE UNIQUE INDEX payment_refund_key ON payment_refund (payment_id, key);

CREATE TABLE payment_dispute (
	channel TEXT NOT NULL,
	reference TEXT NOT NULL,
	payment_id TEXT NOT NULL,
	currency TEXT NOT NULL,
	minor BIGINT NOT NULL,
	state TEXT NOT NULL,
	opened_at BIGINT NOT NULL,
	decided_at BIGINT NOT NULL,
	PRIMARY KEY (channel, reference)
);
CREATE INDEX payment_dispute_payment ON payment_dispute (payment_id);
