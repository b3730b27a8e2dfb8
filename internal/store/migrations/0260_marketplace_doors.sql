-- +goose Up
-- What the doors of the marketplaces remember: calls that came, buyers who
-- arrived and have still to say whose they are, and stored-value cards.

CREATE TABLE marketplace_nonce (
	cloud TEXT NOT NULL,
	nonce TEXT NOT NULL,
	seen_at BIGINT NOT NULL,
	PRIMARY KEY (cloud, nonce)
) {{without_rowid}};
CREATE INDEX marketplace_nonce_seen ON marketplace_nonce (seen_at);

-- The ticket itself is not kept, only its hash.
CREATE TABLE marketplace_arrival (
	ticket TEXT PRIMARY KEY,
	subscription_id TEXT NOT NULL,
	signs_in BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL
);
CREATE INDEX marketplace_arrival_expires ON marketplace_arrival (expires_at);

CREATE TABLE marketplace_card (
	cloud TEXT NOT NULL,
	purchase_order TEXT NOT NULL,
	line TEXT NOT NULL,
	instance TEXT NOT NULL,
	account TEXT NOT NULL,
	sku TEXT NOT NULL,
	currency TEXT NOT NULL,
	face_minor BIGINT NOT NULL,
	payer TEXT NOT NULL,
	source_id TEXT NOT NULL,
	redeemed_at BIGINT NOT NULL,
	released_at BIGINT NOT NULL,
	PRIMARY KEY (cloud, purchase_order, line)
) {{without_rowid}};
CREATE INDEX marketplace_card_instance ON marketplace_card (cloud, instance);
CREATE INDEX marketplace_card_payer ON marketplace_card (payer) WHERE payer <> '';
