-- Seals of the audit trail: rows are closed into Merkle batches, each signed and chained to the one before.

-- A batch. `leaves` holds 40 bytes for each row, in the order of the tree: its place in the trail (8, big-endian) and its hash (32).
-- `last_tx` is where the next batch begins, `next_tx` the first transaction that had not begun yet (PostgreSQL; 0 on SQLite).
CREATE TABLE event_seals (
  number BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  events BIGINT NOT NULL,
  first_seq BIGINT NOT NULL,
  last_seq BIGINT NOT NULL,
  max_seq BIGINT NOT NULL,
  last_tx BIGINT NOT NULL,
  next_tx BIGINT NOT NULL,
  key_id BIGINT NOT NULL,
  leaves {bytes} NOT NULL,
  root {bytes} NOT NULL,
  previous {bytes} NOT NULL,
  signature {bytes} NOT NULL
);
CREATE INDEX event_seals_max_seq ON event_seals (max_seq);

-- How far the trail was shipped to another machine.
CREATE TABLE event_shipping (
  name TEXT NOT NULL PRIMARY KEY,
  seal BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  run_at BIGINT NOT NULL,
  leased_until BIGINT,
  last_error TEXT
);

-- Which transaction wrote the row (PostgreSQL; 0 on SQLite). It is no part of what is sealed.
ALTER TABLE events ADD COLUMN tx BIGINT NOT NULL DEFAULT 0;
CREATE INDEX events_at ON events (at, seq);
CREATE INDEX events_credential_id ON events (credential_id, seq) WHERE credential_id IS NOT NULL;
