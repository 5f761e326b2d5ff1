-- How much is written again when bundles are put together with the base they follow.
ALTER TABLE source_repos ADD COLUMN base_bytes BIGINT NOT NULL DEFAULT 0;
UPDATE source_repos SET base_bytes =
    (SELECT COALESCE(CAST(SUM(bytes) AS BIGINT), 0) FROM source_packs
     WHERE repo_id = source_repos.id AND is_base = 1);
