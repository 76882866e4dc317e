-- Indexes that lists of many keys need, Kubernetes namespaces, members, and accounts' own templates.
-- IF NOT EXISTS: databases made before there were migrations may have any of it.

CREATE INDEX IF NOT EXISTS keys_of_maker ON keys (account_id, created_by, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS keys_by_prefix ON keys (prefix);
-- Those that are few among many; a key is written here only when it becomes one of them.
CREATE INDEX IF NOT EXISTS keys_revoked ON keys (account_id, created_at DESC, id DESC) WHERE revoked_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS keys_expiring ON keys (account_id, created_at DESC, id DESC) WHERE expires_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS keys_disabled ON keys (account_id, created_at DESC, id DESC) WHERE enabled = 0;
CREATE INDEX IF NOT EXISTS keys_test ON keys (account_id, created_at DESC, id DESC) WHERE environment = 'test';
-- What the limit of active keys counts.
CREATE INDEX IF NOT EXISTS keys_counted ON keys (account_id, expires_at)
  WHERE revoked_at IS NULL AND rotated_to IS NULL AND enabled = 1;
-- In its place counts keys_counted. Only an index: a Worker of the release before works without it.
DROP INDEX IF EXISTS keys_active;

-- Kubernetes namespaces for which keys mint credentials. `id` is a lower-case UUID.
CREATE TABLE IF NOT EXISTS namespaces (
  id         TEXT    NOT NULL PRIMARY KEY,
  account_id TEXT    NOT NULL REFERENCES accounts (id),
  name       TEXT    NOT NULL,
  cluster    TEXT    NOT NULL,                    -- JSON: server, certificate_authority_data, audience
  version    INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS namespaces_of_account ON namespaces (account_id, id);

-- People, by verified e-mail address in lower case, where session tokens do not name an account.
CREATE TABLE IF NOT EXISTS members (
  email      TEXT    NOT NULL PRIMARY KEY,
  accounts   TEXT    NOT NULL,                    -- JSON: a list of account_id and role
  admin      INTEGER NOT NULL DEFAULT 0,
  version    INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- Accounts' own templates. They are never edited: a key made from one stays what it was.
CREATE TABLE IF NOT EXISTS permission_templates (
  account_id  TEXT    NOT NULL REFERENCES accounts (id),
  name        TEXT    NOT NULL,
  description TEXT    NOT NULL,
  scopes      TEXT    NOT NULL,                   -- JSON, as sent
  created_at  INTEGER NOT NULL,
  created_by  TEXT    NOT NULL,
  PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;
