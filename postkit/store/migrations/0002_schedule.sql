-- From due to live by a worker: when to look at what, what is paused, who works, who is told.

-- Nothing of the account is sent before resume_at (a limit of the network); ready_at is the
-- earliest ready_at of its parts.
ALTER TABLE account ADD COLUMN resume_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN ready_at INTEGER;
CREATE INDEX account_ready ON account (ready_at) WHERE ready_at IS NOT NULL;

-- The wall time that the author meant, and its IANA zone; NULL where an instant was meant.
ALTER TABLE delivery ADD COLUMN local TEXT;
ALTER TABLE delivery ADD COLUMN zone TEXT;
CREATE INDEX delivery_zone ON delivery (zone) WHERE zone IS NOT NULL;

-- ready_at: when somebody should look at the part next; NULL: not before something else happens.
ALTER TABLE part ADD COLUMN ready_at INTEGER;
ALTER TABLE part ADD COLUMN expires_at INTEGER;
-- Failures in a row, so that pauses grow over processes.
ALTER TABLE part ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE part ADD COLUMN audit_at INTEGER;
ALTER TABLE part ADD COLUMN audits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE part ADD COLUMN copies TEXT NOT NULL DEFAULT '[]';
UPDATE part SET ready_at = not_before WHERE state = 'SCHEDULED' AND position = (
  SELECT min(position) FROM part AS first
  WHERE first.delivery_id = part.delivery_id AND first.state <> 'LIVE');
-- What was left behind long ago is shown to a person, and not sent by the first worker.
UPDATE part SET expires_at = due_at + 21600000000
  WHERE state = 'SCHEDULED' AND position = 1 AND doubt_at IS NULL;
UPDATE part SET ready_at = coalesce(lease_until, not_before)
  WHERE state IN ('CLAIMED', 'SENDING', 'IN_DOUBT');
UPDATE account SET ready_at = (SELECT min(ready_at) FROM part WHERE account_id = account.id);
-- All that the choice of the next part reads, so that it reads nothing else.
CREATE INDEX part_ready ON part (account_id, ready_at, due_at, delivery_id, position, state, id)
  WHERE ready_at IS NOT NULL;
CREATE INDEX part_busy ON part (account_id) WHERE state IN ('CLAIMED', 'SENDING');
CREATE INDEX part_owner ON part (owner) WHERE owner IS NOT NULL;
CREATE INDEX part_expires ON part (expires_at) WHERE state = 'SCHEDULED' AND ready_at IS NOT NULL;
CREATE INDEX part_due ON part (tenant, due_at, delivery_id, position)
  WHERE state NOT IN ('LIVE', 'FAILED', 'CANCELLED');

CREATE INDEX publication_source ON publication (tenant, source) WHERE source IS NOT NULL;

-- Request and answer, redacted, as JSON.
ALTER TABLE history ADD COLUMN detail TEXT;

-- NULL stands for all.
CREATE TABLE pause (
  id         TEXT PRIMARY KEY,
  tenant     TEXT NOT NULL DEFAULT '',
  address    TEXT NOT NULL,
  network    TEXT,
  account_id TEXT,
  target     TEXT,
  reason     TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX pause_address ON pause (tenant, address);

-- Calls that were made within a network's windows. n0 to n10 is a ring: n<i> counts the slice (a
-- tenth of the window) whose number is i modulo 11; slice is the number of the newest.
CREATE TABLE budget (
  tenant        TEXT NOT NULL DEFAULT '',
  scope         TEXT NOT NULL,
  bucket        TEXT NOT NULL,
  calls         INTEGER NOT NULL,
  seconds       INTEGER NOT NULL,
  slice         INTEGER NOT NULL,
  n0            INTEGER NOT NULL DEFAULT 0,
  n1            INTEGER NOT NULL DEFAULT 0,
  n2            INTEGER NOT NULL DEFAULT 0,
  n3            INTEGER NOT NULL DEFAULT 0,
  n4            INTEGER NOT NULL DEFAULT 0,
  n5            INTEGER NOT NULL DEFAULT 0,
  n6            INTEGER NOT NULL DEFAULT 0,
  n7            INTEGER NOT NULL DEFAULT 0,
  n8            INTEGER NOT NULL DEFAULT 0,
  n9            INTEGER NOT NULL DEFAULT 0,
  n10           INTEGER NOT NULL DEFAULT 0,
  blocked_until INTEGER NOT NULL DEFAULT 0,
  updated_at    INTEGER NOT NULL,
  PRIMARY KEY (tenant, scope, bucket)
);

-- What observers are told after it is durable.
CREATE TABLE outbox (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant     TEXT NOT NULL DEFAULT '',
  event      TEXT NOT NULL,
  payload    TEXT NOT NULL,
  told       TEXT NOT NULL DEFAULT '[]',
  attempts   INTEGER NOT NULL DEFAULT 0,
  next_at    INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX outbox_next ON outbox (next_at, id);

CREATE TABLE worker (
  owner      TEXT PRIMARY KEY,
  tenant     TEXT NOT NULL DEFAULT '',
  started_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL
);

-- Small facts of the store itself: the fingerprint of the zones' rules.
CREATE TABLE fact (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
