-- +goose Up
-- Annual packages: what was bought, its terms from one day to another, who
-- shares it in which order, traffic packages, and what was charged for them.

CREATE TABLE package (
	id TEXT PRIMARY KEY,
	payer TEXT NOT NULL,
	number BIGINT NOT NULL,
	site TEXT NOT NULL,
	currency TEXT NOT NULL,
	catalog TEXT NOT NULL,
	first_day TEXT NOT NULL,
	last_day TEXT NOT NULL,
	bought_at BIGINT NOT NULL,
	remind_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX package_payer ON package (payer, number);
CREATE INDEX package_site ON package (site, last_day);
CREATE INDEX package_remind ON package (remind_at) WHERE remind_at > 0;

CREATE TABLE package_term (
	package_id TEXT NOT NULL,
	first_day TEXT NOT NULL,
	last_day TEXT NOT NULL,
	size TEXT NOT NULL,
	price BIGINT NOT NULL,
	quotas TEXT NOT NULL,
	PRIMARY KEY (package_id, first_day)
) {{without_rowid}};

CREATE TABLE package_seat (
	package_id TEXT NOT NULL,
	first_day TEXT NOT NULL,
	position BIGINT NOT NULL,
	workspace_id TEXT NOT NULL,
	PRIMARY KEY (package_id, first_day, position)
) {{without_rowid}};
CREATE INDEX package_seat_workspace ON package_seat (workspace_id);

CREATE TABLE package_traffic (
	id TEXT PRIMARY KEY,
	package_id TEXT NOT NULL,
	number BIGINT NOT NULL,
	item TEXT NOT NULL,
	capacity BIGINT NOT NULL,
	units TEXT NOT NULL,
	unit_price TEXT NOT NULL,
	discount TEXT NOT NULL,
	exact TEXT NOT NULL,
	price BIGINT NOT NULL,
	first_day TEXT NOT NULL,
	bought_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX package_traffic_package ON package_traffic (package_id, number);

CREATE TABLE traffic_discount (
	payer TEXT NOT NULL,
	item TEXT NOT NULL,
	discount TEXT NOT NULL,
	granted_by TEXT NOT NULL,
	granted_at BIGINT NOT NULL,
	PRIMARY KEY (payer, item)
) {{without_rowid}};

CREATE TABLE package_charge (
	id TEXT PRIMARY KEY,
	package_id TEXT NOT NULL,
	payer TEXT NOT NULL,
	kind TEXT NOT NULL,
	day TEXT NOT NULL,
	currency TEXT NOT NULL,
	total BIGINT NOT NULL,
	at BIGINT NOT NULL,
	document TEXT NOT NULL,
	hash TEXT NOT NULL,
	statement_id TEXT NOT NULL
);
CREATE INDEX package_charge_package ON package_charge (package_id, day);
CREATE INDEX package_charge_payer ON package_charge (payer, day);
CREATE INDEX package_charge_statement ON package_charge (statement_id);
