-- +goose Up

-- How a workspace's logs are counted where it is not as usual: by volume, or
-- by records that are cut at another size.
CREATE TABLE log_count (
	workspace_id TEXT PRIMARY KEY,
	by_volume BIGINT NOT NULL,
	cut_size BIGINT NOT NULL,
	revision BIGINT NOT NULL
);

-- +goose Down
DROP TABLE log_count;
