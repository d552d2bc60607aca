-- A process may work for several tenants, each by a worker of its own; '' is a worker of all.
DROP TABLE worker;
CREATE TABLE worker (
  owner      TEXT NOT NULL,
  tenant     TEXT NOT NULL DEFAULT '',
  started_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  PRIMARY KEY (owner, tenant)
);

-- What one tenant accepts names nothing of another's, whoever writes it.
CREATE TRIGGER delivery_of_one_tenant BEFORE INSERT ON delivery
WHEN NOT EXISTS (SELECT 1 FROM account WHERE id = NEW.account_id AND tenant = NEW.tenant)
  OR NOT EXISTS (SELECT 1 FROM publication WHERE id = NEW.publication_id AND tenant = NEW.tenant)
BEGIN
  SELECT RAISE(ABORT, 'a delivery names an account or a publication of another tenant');
END;
CREATE TRIGGER part_of_one_tenant BEFORE INSERT ON part
WHEN NOT EXISTS (SELECT 1 FROM delivery WHERE id = NEW.delivery_id
  AND account_id = NEW.account_id AND tenant = NEW.tenant)
BEGIN
  SELECT RAISE(ABORT, 'a part names a delivery or an account of another tenant');
END;
