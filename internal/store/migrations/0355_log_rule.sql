-- +goose Up

-- How a workspace's log records are routed to its indexes: rules as JSON, in
-- the order in which they are asked.
CREATE TABLE log_routing (
	workspace_id TEXT PRIMARY KEY,
	rules TEXT NOT NULL,
	revision BIGINT NOT NULL
);

-- +goose Down
DROP TABLE log_routing;
