-- Rotated keys that live on: the limit of active keys counts those whose successor does not make up for them.
CREATE INDEX IF NOT EXISTS keys_rotated ON keys (account_id, expires_at)
  WHERE revoked_at IS NULL AND rotated_to IS NOT NULL AND enabled = 1;
