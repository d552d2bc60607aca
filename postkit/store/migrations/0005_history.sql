-- Who did it (actor), by what (via: cli, worker or library), and the SHA-256 of what was to be
-- sent. form says what a line's hash is made of (deliver/history.py); the lines from before keep
-- theirs, since to hash them anew would vouch for what nobody has watched.
ALTER TABLE history ADD COLUMN form INTEGER NOT NULL DEFAULT 1;
ALTER TABLE history ADD COLUMN actor TEXT;
ALTER TABLE history ADD COLUMN via TEXT;
ALTER TABLE history ADD COLUMN content TEXT;

-- The end of each account's chain, so that cutting off its newest lines shows. An account_id of ''
-- stands for what is about no single account (a pause of everything).
CREATE TABLE chain (
  tenant     TEXT NOT NULL DEFAULT '',
  account_id TEXT NOT NULL,
  lines      INTEGER NOT NULL,
  hash       TEXT NOT NULL,
  PRIMARY KEY (tenant, account_id)
) WITHOUT ROWID;
INSERT INTO chain (tenant, account_id, lines, hash)
  SELECT tenant, account_id, lines, hash FROM (
    SELECT tenant, account_id, hash, count(*) OVER (PARTITION BY tenant, account_id) AS lines,
      row_number() OVER (PARTITION BY tenant, account_id ORDER BY id DESC) AS place
    FROM history) WHERE place = 1;

CREATE TRIGGER history_follows BEFORE INSERT ON history
WHEN NEW.previous <> coalesce((SELECT hash FROM chain
  WHERE tenant = NEW.tenant AND account_id = NEW.account_id), '')
BEGIN
  SELECT RAISE(ABORT, 'a line of history must follow the newest one of its account');
END;
CREATE TRIGGER history_counted AFTER INSERT ON history
BEGIN
  INSERT INTO chain (tenant, account_id, lines, hash)
    VALUES (NEW.tenant, NEW.account_id, 1, NEW.hash)
    ON CONFLICT (tenant, account_id) DO UPDATE SET lines = lines + 1, hash = excluded.hash;
END;
CREATE TRIGGER history_unchanged BEFORE UPDATE ON history
BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;
CREATE TRIGGER history_undeleted BEFORE DELETE ON history
BEGIN
  SELECT RAISE(ABORT, 'the history is append-only');
END;

-- A person let it go although the account's own cap was reached.
ALTER TABLE part ADD COLUMN uncapped INTEGER NOT NULL DEFAULT 0;
