-- What a sign-in, a trusted browser and an API token must remember a little longer. Columns are added, nothing is rewritten.

-- Where a sign-in was to lead: the confirmation mail comes back without it.
ALTER TABLE sign_in_attempts ADD COLUMN next TEXT;

-- Since when this browser is trusted without a gap; NULL: since `from_at`. Its age counts (R3), and each renewal is a row of its own.
ALTER TABLE devices ADD COLUMN known_since BIGINT;

-- When its owner was last told that the token ends soon.
ALTER TABLE api_tokens ADD COLUMN warned_at BIGINT;
CREATE INDEX api_tokens_expiry ON api_tokens (expires_at) WHERE until_at IS NULL AND expires_at IS NOT NULL;
