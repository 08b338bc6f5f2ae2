-- The audit trail is append-only. REPLACE fires the delete trigger because recursive_triggers is on.
CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE VIRTUAL TABLE search_index USING fts5(project UNINDEXED, name, summary, keywords, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');
