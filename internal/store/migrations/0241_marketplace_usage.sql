-- +goose Up
-- What the clouds have to collect, and the records that say it to them.

CREATE TABLE marketplace_charge (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	bill_id TEXT NOT NULL,
	workspace_id TEXT NOT NULL,
	site TEXT NOT NULL,
	day TEXT NOT NULL,
	payer TEXT NOT NULL,
	cloud TEXT NOT NULL,
	subscription_id TEXT NOT NULL,
	currency TEXT NOT NULL,
	minor BIGINT NOT NULL,
	taken BIGINT NOT NULL,
	at BIGINT NOT NULL,
	record_id TEXT NOT NULL,
	seal_at BIGINT NOT NULL
);
CREATE INDEX marketplace_charge_open ON marketplace_charge (subscription_id, at) WHERE record_id = '';
CREATE INDEX marketplace_charge_seal ON marketplace_charge (seal_at) WHERE record_id = '' AND subscription_id <> '';
CREATE INDEX marketplace_charge_record ON marketplace_charge (record_id) WHERE record_id <> '';
CREATE INDEX marketplace_charge_day ON marketplace_charge (workspace_id, day);
CREATE INDEX marketplace_charge_advance ON marketplace_charge (site, day) WHERE kind = 'advance' AND bill_id = '';

-- A record is unique by what the clouds tell records apart by.
CREATE TABLE marketplace_record (
	id TEXT PRIMARY KEY,
	subscription_id TEXT NOT NULL,
	cloud TEXT NOT NULL,
	account TEXT NOT NULL,
	instance TEXT NOT NULL,
	reference TEXT NOT NULL,
	product TEXT NOT NULL,
	plan TEXT NOT NULL,
	dimension TEXT NOT NULL,
	slot BIGINT NOT NULL,
	window_from BIGINT NOT NULL,
	window_to BIGINT NOT NULL,
	quantity TEXT NOT NULL,
	currency TEXT NOT NULL,
	minor BIGINT NOT NULL,
	carried BIGINT NOT NULL,
	state TEXT NOT NULL,
	attempts BIGINT NOT NULL,
	answers BIGINT NOT NULL,
	most BIGINT NOT NULL,
	sealed_at BIGINT NOT NULL,
	next_at BIGINT NOT NULL,
	deadline_at BIGINT NOT NULL,
	alert_at BIGINT NOT NULL,
	alerted BIGINT NOT NULL,
	decided_at BIGINT NOT NULL,
	decided_by TEXT NOT NULL,
	taken BIGINT NOT NULL,
	returned BIGINT NOT NULL,
	remote_id TEXT NOT NULL,
	reason TEXT NOT NULL
);
CREATE UNIQUE INDEX marketplace_record_slot ON marketplace_record (cloud, instance, dimension, slot);
CREATE INDEX marketplace_record_due ON marketplace_record (cloud, next_at) WHERE state IN ('pending', 'sent');
CREATE INDEX marketplace_record_alert ON marketplace_record (cloud, alert_at) WHERE state IN ('pending', 'sent') AND alerted = 0;
CREATE INDEX marketplace_record_lost ON marketplace_record (state, decided_at) WHERE state IN ('duplicate_diff', 'rejected', 'ambiguous', 'expired');
CREATE INDEX marketplace_record_subscription ON marketplace_record (subscription_id, slot);
CREATE INDEX marketplace_record_sealed ON marketplace_record (cloud, slot);

CREATE TABLE marketplace_share (
	record_id TEXT NOT NULL,
	workspace_id TEXT NOT NULL,
	quantity TEXT NOT NULL,
	minor BIGINT NOT NULL,
	PRIMARY KEY (record_id, workspace_id)
) {{without_rowid}};

-- What the records of a subscription have left of its charges.
CREATE TABLE marketplace_carried (
	subscription_id TEXT NOT NULL,
	currency TEXT NOT NULL,
	minor BIGINT NOT NULL,
	PRIMARY KEY (subscription_id, currency)
) {{without_rowid}};

-- Until when a cloud (instance ''), or one of its instances, is not called.
CREATE TABLE marketplace_pause (
	cloud TEXT NOT NULL,
	instance TEXT NOT NULL,
	until BIGINT NOT NULL,
	PRIMARY KEY (cloud, instance)
) {{without_rowid}};
