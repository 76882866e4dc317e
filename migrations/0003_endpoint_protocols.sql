-- The list of protocols belongs to the code (src/endpoints/endpoint.ts), not to a CHECK: SQLite cannot change one
-- without making the table anew, as is done here for the last time. One transaction; no column changes.

CREATE TABLE endpoints_new (
  id              TEXT    NOT NULL PRIMARY KEY,
  account_id      TEXT    REFERENCES accounts (id),   -- NULL: shared, visible to every account
  name            TEXT    NOT NULL,
  api             TEXT    NOT NULL CHECK (api IN ('inference', 'graphql')),
  protocol        TEXT    NOT NULL,
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
INSERT INTO endpoints_new (
  id, account_id, name, api, protocol, path, origin, test_origin, operations, credential, assertion,
  allow_query_key, redirects, timeout_seconds, freshness, cors, version, created_at, updated_at
)
SELECT
  id, account_id, name, api, protocol, path, origin, test_origin, operations, credential, assertion,
  allow_query_key, redirects, timeout_seconds, freshness, cors, version, created_at, updated_at
FROM endpoints;
DROP TABLE endpoints;
ALTER TABLE endpoints_new RENAME TO endpoints;
CREATE INDEX endpoints_of_account ON endpoints (account_id, id);
