-- One writer: rows become visible in the order of their places.
CREATE TRIGGER event_seals_no_update BEFORE UPDATE ON event_seals BEGIN SELECT RAISE(ABORT, 'seals are append-only'); END;
CREATE TRIGGER event_seals_no_delete BEFORE DELETE ON event_seals BEGIN SELECT RAISE(ABORT, 'seals are append-only'); END;
