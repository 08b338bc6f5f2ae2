-- The audit trail is append-only.
CREATE FUNCTION events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$;
CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION events_refuse();
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION events_refuse();

CREATE TABLE search_index (
  project TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  summary TEXT NOT NULL,
  keywords TEXT NOT NULL,
  document TSVECTOR GENERATED ALWAYS AS (
    setweight(to_tsvector('simple', translate(name, '-_.', '   ')), 'A') || setweight(to_tsvector('simple', keywords), 'B') || setweight(to_tsvector('english', summary), 'C')
  ) STORED
);
CREATE INDEX search_index_document ON search_index USING gin (document);
