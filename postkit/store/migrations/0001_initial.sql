-- Times are integer microseconds since 1970 in UTC; JSON is text; ids are text.
-- Every row carries a tenant ('' where there is only one).

CREATE TABLE account (
  id          TEXT PRIMARY KEY,
  tenant      TEXT NOT NULL DEFAULT '',
  network     TEXT NOT NULL,
  name        TEXT NOT NULL,
  endpoint    TEXT,
  ca_bundle   TEXT,
  state       TEXT NOT NULL CHECK (state IN ('ok', 'unverified', 'needs_login')),
  identity    TEXT,
  identity_at INTEGER,
  settings    TEXT NOT NULL DEFAULT '{}',
  created_at  INTEGER NOT NULL,
  removed_at  INTEGER
);
CREATE UNIQUE INDEX account_name ON account (tenant, network, name) WHERE removed_at IS NULL;

CREATE TABLE publication (
  id         TEXT PRIMARY KEY,
  tenant     TEXT NOT NULL DEFAULT '',
  once       TEXT,
  content    TEXT NOT NULL,
  source     TEXT,
  warnings   TEXT NOT NULL DEFAULT '[]',
  created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX publication_once ON publication (tenant, once) WHERE once IS NOT NULL;
CREATE INDEX publication_newest ON publication (tenant, created_at);

CREATE TABLE delivery (
  id             TEXT PRIMARY KEY,
  tenant         TEXT NOT NULL DEFAULT '',
  publication_id TEXT NOT NULL REFERENCES publication (id),
  account_id     TEXT NOT NULL REFERENCES account (id),
  address        TEXT NOT NULL,
  network        TEXT NOT NULL,
  target         TEXT,
  position       INTEGER NOT NULL,
  text_hash      TEXT NOT NULL,
  changes        TEXT NOT NULL,
  losses         TEXT NOT NULL,
  cost           TEXT,
  created_at     INTEGER NOT NULL
);
CREATE INDEX delivery_publication ON delivery (publication_id, position);
CREATE INDEX delivery_same ON delivery (tenant, account_id, text_hash, created_at);

CREATE TABLE part (
  id          TEXT PRIMARY KEY,
  tenant      TEXT NOT NULL DEFAULT '',
  delivery_id TEXT NOT NULL REFERENCES delivery (id),
  account_id  TEXT NOT NULL REFERENCES account (id),
  position    INTEGER NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('SCHEDULED', 'CLAIMED', 'SENDING', 'IN_DOUBT', 'LIVE',
                                             'FAILED', 'UNCERTAIN', 'HELD', 'MISSED', 'CANCELLED')),
  rendition   TEXT NOT NULL,
  due_at      INTEGER NOT NULL,
  not_before  INTEGER NOT NULL,
  fence       INTEGER NOT NULL DEFAULT 0,
  attempts    INTEGER NOT NULL DEFAULT 0,
  owner       TEXT,
  lease_until INTEGER,
  key         TEXT,
  prepared    TEXT NOT NULL DEFAULT '{}',
  outgoing    TEXT,
  sending_at  INTEGER,
  doubt_at    INTEGER,
  looks       INTEGER NOT NULL DEFAULT 0,
  receipt     TEXT,
  remote_id   TEXT,
  url         TEXT,
  live_at     INTEGER,
  held_reason TEXT,
  question    TEXT,
  error       TEXT,
  UNIQUE (delivery_id, position)
);
CREATE INDEX part_open ON part (account_id, due_at, id)
  WHERE state NOT IN ('LIVE', 'FAILED', 'MISSED', 'CANCELLED');
-- One remote post settles one part.
CREATE UNIQUE INDEX part_remote ON part (account_id, remote_id) WHERE remote_id IS NOT NULL;

CREATE TABLE history (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant      TEXT NOT NULL DEFAULT '',
  account_id  TEXT NOT NULL,
  delivery_id TEXT,
  part_id     TEXT,
  at          INTEGER NOT NULL,
  event       TEXT NOT NULL,
  before      TEXT,
  after       TEXT,
  attempt     INTEGER,
  reason      TEXT NOT NULL,
  previous    TEXT NOT NULL,
  hash        TEXT NOT NULL
);
CREATE INDEX history_delivery ON history (delivery_id, id);
CREATE INDEX history_account ON history (account_id, id);

CREATE TABLE media (
  sha256     TEXT PRIMARY KEY,
  mime       TEXT NOT NULL,
  size       INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);
