-- Sessions of the console that were ended by signing out. Their cookies would hold until `until`; then they are
-- forgotten.
CREATE TABLE IF NOT EXISTS ended_sessions (
  sid   TEXT    NOT NULL PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ended_sessions_by_end ON ended_sessions (until);
