-- +goose Up
-- What was bought on the marketplaces of clouds, what the clouds said of it
-- (the inbox), and which workspaces it settles.

CREATE TABLE marketplace_subscription (
	id TEXT PRIMARY KEY,
	cloud TEXT NOT NULL,
	instance TEXT NOT NULL,
	account TEXT NOT NULL,
	reference TEXT NOT NULL,
	product TEXT NOT NULL,
	purchase_order TEXT NOT NULL,
	plan TEXT NOT NULL,
	state TEXT NOT NULL,
	why TEXT NOT NULL,
	payer TEXT NOT NULL,
	bought_at BIGINT NOT NULL,
	active_at BIGINT NOT NULL,
	bound_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	ends_at BIGINT NOT NULL,
	applied_at BIGINT NOT NULL,
	revision BIGINT NOT NULL
);
CREATE UNIQUE INDEX marketplace_subscription_instance ON marketplace_subscription (cloud, instance);
CREATE INDEX marketplace_subscription_account ON marketplace_subscription (cloud, account);
CREATE INDEX marketplace_subscription_payer ON marketplace_subscription (payer) WHERE payer <> '';

CREATE TABLE marketplace_event (
	cloud TEXT NOT NULL,
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	instance TEXT NOT NULL,
	account TEXT NOT NULL,
	reference TEXT NOT NULL,
	product TEXT NOT NULL,
	purchase_order TEXT NOT NULL,
	plan TEXT NOT NULL,
	at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	final_for BIGINT NOT NULL,
	refunded BIGINT NOT NULL,
	test BIGINT NOT NULL,
	raw {{blob}} NOT NULL,
	received_at BIGINT NOT NULL,
	PRIMARY KEY (cloud, id)
);
CREATE INDEX marketplace_event_instance ON marketplace_event (cloud, instance);
CREATE INDEX marketplace_event_received ON marketplace_event (received_at);

-- A workspace has at most one row without an end. The row of a subscription
-- that has ended stays open until something else settles the workspace.
CREATE TABLE marketplace_settling (
	workspace_id TEXT NOT NULL,
	since BIGINT NOT NULL,
	subscription_id TEXT NOT NULL,
	until BIGINT NOT NULL,
	PRIMARY KEY (workspace_id, since)
) {{without_rowid}};
CREATE UNIQUE INDEX marketplace_settling_now ON marketplace_settling (workspace_id) WHERE until = 0;
CREATE INDEX marketplace_settling_subscription ON marketplace_settling (subscription_id, until);

CREATE TABLE marketplace_wrong_claim (
	payer TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (payer, at)
) {{without_rowid}};
