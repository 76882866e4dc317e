-- The whole database, to read. What is applied is migrations/, which amounts to the same (held by a test): a
-- change here needs a migration there. docs/upgrade.md says what a migration may do.
-- Times are integer milliseconds since 1970 UTC; booleans are 0 or 1; JSON is TEXT.
-- `version` tells a row's states apart: every write names the version it was made from, so that two
-- writers never overwrite each other unseen. It starts at random, and each change adds one.

CREATE TABLE IF NOT EXISTS accounts (
  id               TEXT    NOT NULL PRIMARY KEY,
  name             TEXT    NOT NULL,
  active_key_limit INTEGER NOT NULL,
  suspended        INTEGER NOT NULL DEFAULT 0,
  version          INTEGER NOT NULL DEFAULT 1,
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL
) STRICT;

-- `keys` holds key records, never a key: `hash` is the SHA-256 of the whole key in lower-case hex.
CREATE TABLE IF NOT EXISTS keys (
  id           TEXT    NOT NULL PRIMARY KEY,
  account_id   TEXT    NOT NULL REFERENCES accounts (id),
  hash         TEXT    NOT NULL UNIQUE,
  prefix       TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  environment  TEXT    NOT NULL CHECK (environment IN ('production', 'test')),
  permissions  TEXT    NOT NULL,               -- canonical form, JSON
  scopes       TEXT,                           -- what the client sent, JSON; NULL for legacy keys
  template     TEXT,
  enabled      INTEGER NOT NULL DEFAULT 1,
  legacy       INTEGER NOT NULL DEFAULT 0,
  created_at   INTEGER NOT NULL,
  created_by   TEXT    NOT NULL,
  expires_at   INTEGER,
  revoked_at   INTEGER,
  rotated_from TEXT,
  rotated_to   TEXT,                           -- its successor, once rotated
  version      INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX IF NOT EXISTS keys_of_account ON keys (account_id, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS keys_of_maker ON keys (account_id, created_by, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS keys_by_age ON keys (created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS keys_by_prefix ON keys (prefix);
-- Those that are few among many; a key is written here only when it becomes one of them.
CREATE INDEX IF NOT EXISTS keys_revoked ON keys (account_id, created_at DESC, id DESC) WHERE revoked_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS keys_expiring ON keys (account_id, created_at DESC, id DESC) WHERE expires_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS keys_disabled ON keys (account_id, created_at DESC, id DESC) WHERE enabled = 0;
CREATE INDEX IF NOT EXISTS keys_test ON keys (account_id, created_at DESC, id DESC) WHERE environment = 'test';
-- What the limit of active keys counts.
CREATE INDEX IF NOT EXISTS keys_counted ON keys (account_id, expires_at)
  WHERE revoked_at IS NULL AND rotated_to IS NULL AND enabled = 1;
-- Rotated keys that live on: the limit of active keys counts those whose successor does not make up for them.
CREATE INDEX IF NOT EXISTS keys_rotated ON keys (account_id, expires_at)
  WHERE revoked_at IS NULL AND rotated_to IS NOT NULL AND enabled = 1;

-- Written by the ledger alone, absolute values, so that repeating a flush changes nothing.
CREATE TABLE IF NOT EXISTS key_last_used (
  key_id       TEXT    NOT NULL PRIMARY KEY,
  last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `kind` is read, write, or denied:REASON; `hour` is the hour's first millisecond.
CREATE TABLE IF NOT EXISTS key_usage (
  key_id      TEXT    NOT NULL,
  hour        INTEGER NOT NULL,
  endpoint_id TEXT    NOT NULL,
  kind        TEXT    NOT NULL,
  count       INTEGER NOT NULL,
  PRIMARY KEY (key_id, hour, endpoint_id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS key_usage_by_hour ON key_usage (hour);

CREATE TABLE IF NOT EXISTS endpoints (
  id              TEXT    NOT NULL PRIMARY KEY,
  account_id      TEXT    REFERENCES accounts (id),   -- NULL: shared, visible to every account
  name            TEXT    NOT NULL,
  api             TEXT    NOT NULL CHECK (api IN ('inference', 'graphql')),
  protocol        TEXT    NOT NULL,                   -- one of PROTOCOLS in src/endpoints/endpoint.ts
  path            TEXT    NOT NULL UNIQUE,
  origin          TEXT    NOT NULL,
  test_origin     TEXT,
  operations      TEXT,                               -- JSON
  credential      TEXT,                               -- JSON: header, name of a secret, scheme; never a value
  assertion       INTEGER NOT NULL DEFAULT 0,
  allow_query_key INTEGER NOT NULL DEFAULT 0,
  redirects       TEXT    NOT NULL DEFAULT 'refuse',
  timeout_seconds INTEGER NOT NULL DEFAULT 120,
  freshness       TEXT    NOT NULL DEFAULT 'bounded',
  cors            TEXT,                               -- JSON
  version         INTEGER NOT NULL DEFAULT 1,
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS endpoints_of_account ON endpoints (account_id, id);

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

-- Sessions of the console that were ended by signing out. Their cookies would hold until `until`; then they are
-- forgotten.
CREATE TABLE IF NOT EXISTS ended_sessions (
  sid   TEXT    NOT NULL PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ended_sessions_by_end ON ended_sessions (until);

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

-- One row for every change; its id is the change's id in the freshness protocol. An `abandoned` row
-- is a tombstone: the ledger writes it so that a change whose Worker died can never commit later.
CREATE TABLE IF NOT EXISTS audit_log (
  id         TEXT    NOT NULL PRIMARY KEY,
  at         INTEGER NOT NULL,
  outcome    TEXT    NOT NULL CHECK (outcome IN ('committed', 'abandoned')),
  account_id TEXT,
  actor      TEXT    NOT NULL,
  address    TEXT,
  action     TEXT    NOT NULL,
  subject    TEXT    NOT NULL,
  before     TEXT,
  after      TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS audit_log_by_time ON audit_log (at DESC, id DESC);
CREATE INDEX IF NOT EXISTS audit_log_of_account ON audit_log (account_id, at DESC, id DESC);
