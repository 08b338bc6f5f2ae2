-- Places are handed out before transactions end, so that rows become visible out of order: each row says which transaction wrote it,
-- and is sealed when all that began before it have ended. The number belongs to this database cluster: a copy in another does not carry it.
ALTER TABLE events ADD COLUMN tx BIGINT NOT NULL DEFAULT 0;
ALTER TABLE events ALTER COLUMN tx SET DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX events_tx ON events (tx, seq);

CREATE FUNCTION event_seals_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'seals are append-only'; END $$;
CREATE TRIGGER event_seals_no_change BEFORE UPDATE OR DELETE ON event_seals FOR EACH ROW EXECUTE FUNCTION event_seals_refuse();
CREATE TRIGGER event_seals_no_truncate BEFORE TRUNCATE ON event_seals FOR EACH STATEMENT EXECUTE FUNCTION event_seals_refuse();
