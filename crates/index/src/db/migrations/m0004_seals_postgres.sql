-- Places are handed out before transactions end, so that rows become visible out of order: each row says which transaction wrote it,
-- and is sealed when all that began before it have ended. The number belongs to this database cluster, so that whatever is inserted
-- gets the one of its own transaction, also what was copied from elsewhere.
CREATE FUNCTION events_own_tx() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.tx := pg_current_xact_id()::text::bigint; RETURN NEW; END $$;
CREATE TRIGGER events_own_tx BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION events_own_tx();
CREATE INDEX events_tx ON events (tx, seq);

CREATE FUNCTION event_seals_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'seals are append-only'; END $$;
CREATE TRIGGER event_seals_no_change BEFORE UPDATE OR DELETE ON event_seals FOR EACH ROW EXECUTE FUNCTION event_seals_refuse();
CREATE TRIGGER event_seals_no_truncate BEFORE TRUNCATE ON event_seals FOR EACH STATEMENT EXECUTE FUNCTION event_seals_refuse();
