-- A protected account is confirmed by its name each time and is never a default. At most one
-- account of a network is what its bare name means.
ALTER TABLE account ADD COLUMN protected INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN is_default INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX account_default ON account (tenant, network)
  WHERE is_default = 1 AND removed_at IS NULL;

-- When a worker last renewed its access, and the end of access that somebody was told of, so that
-- each end is told once.
ALTER TABLE account ADD COLUMN renewed_at INTEGER;
ALTER TABLE account ADD COLUMN told_end INTEGER;
