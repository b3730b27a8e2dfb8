-- +goose Up
-- Who logs in, and what belongs to logging in.

CREATE TABLE studio_account (
	id TEXT PRIMARY KEY,
	site TEXT NOT NULL,
	user_name TEXT NOT NULL,
	email TEXT NOT NULL,
	phone TEXT NOT NULL,
	password TEXT NOT NULL,
	profile TEXT NOT NULL,
	language TEXT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX studio_account_email ON studio_account (site, email);
CREATE UNIQUE INDEX studio_account_phone ON studio_account (site, phone) WHERE phone <> '';

CREATE TABLE billing_account (
	id TEXT PRIMARY KEY,
	user_name TEXT NOT NULL UNIQUE,
	email TEXT NOT NULL UNIQUE,
	phone TEXT NOT NULL,
	password TEXT NOT NULL,
	currency TEXT NOT NULL,
	profile TEXT NOT NULL,
	language TEXT NOT NULL,
	disabled BIGINT NOT NULL,
	arbitrary_settlement BIGINT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX billing_account_phone ON billing_account (phone) WHERE phone <> '';

CREATE TABLE operator_account (
	id TEXT PRIMARY KEY,
	email TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	password TEXT NOT NULL,
	language TEXT NOT NULL,
	created_at BIGINT NOT NULL
);

CREATE TABLE registration (
	id TEXT PRIMARY KEY,
	document TEXT NOT NULL,
	created_at BIGINT NOT NULL
);

CREATE TABLE code (
	id TEXT PRIMARY KEY,
	purpose TEXT NOT NULL,
	email TEXT NOT NULL,
	subject TEXT NOT NULL,
	hash TEXT NOT NULL,
	sent_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	tries BIGINT NOT NULL,
	used_at BIGINT NOT NULL
);
CREATE INDEX code_latest ON code (purpose, email, sent_at);

CREATE TABLE ticket (
	id TEXT PRIMARY KEY,
	billing_id TEXT NOT NULL,
	studio_id TEXT NOT NULL,
	target TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL
);

CREATE TABLE session (
	console TEXT NOT NULL,
	token TEXT NOT NULL,
	data {{blob}} NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (console, token)
);

CREATE TABLE api_key (
	hash TEXT PRIMARY KEY,
	console TEXT NOT NULL,
	account_id TEXT NOT NULL,
	name TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	revoked_at BIGINT NOT NULL
);
CREATE INDEX api_key_account ON api_key (console, account_id);

CREATE TABLE idempotency (
	actor TEXT NOT NULL,
	key TEXT NOT NULL,
	request TEXT NOT NULL,
	status BIGINT NOT NULL,
	response TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (actor, key)
);

-- A chain's head: the number of its links and the hash of the last one.
CREATE TABLE chain (
	name TEXT PRIMARY KEY,
	n BIGINT NOT NULL,
	hash TEXT NOT NULL
);

CREATE TABLE audit (
	n BIGINT PRIMARY KEY,
	at BIGINT NOT NULL,
	actor TEXT NOT NULL,
	address TEXT NOT NULL,
	action TEXT NOT NULL,
	subject TEXT NOT NULL,
	detail TEXT NOT NULL,
	hash TEXT NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, n);

CREATE TABLE mail (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	recipient TEXT NOT NULL,
	document TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	sent_at BIGINT NOT NULL
);
CREATE INDEX mail_created ON mail (created_at);

CREATE TABLE setting (
	name TEXT PRIMARY KEY,
	value TEXT NOT NULL
);
