-- Whom a case concerns, and what people did and wrote down in it. Rows are added, never changed.

CREATE TABLE case_subjects (
  case_id {uuid} NOT NULL,
  what TEXT NOT NULL,
  what_id {uuid} NOT NULL,
  at BIGINT NOT NULL,
  began_by {uuid} NOT NULL,
  PRIMARY KEY (case_id, what, what_id)
);
CREATE INDEX case_subjects_what_id ON case_subjects (what_id, case_id);
INSERT INTO case_subjects (case_id, what, what_id, at, began_by)
  SELECT id, 'account', account_id, opened_at, opened_by FROM cases WHERE account_id IS NOT NULL;
INSERT INTO case_subjects (case_id, what, what_id, at, began_by)
  SELECT id, 'project', project_id, opened_at, opened_by FROM cases WHERE project_id IS NOT NULL;

-- The text of a note may be personal: it stands here and not in the event, which names it by its id.
CREATE TABLE case_entries (
  id {uuid} NOT NULL PRIMARY KEY,
  case_id {uuid} NOT NULL,
  kind TEXT NOT NULL,
  account_id {uuid},
  project_id {uuid},
  hold_id {uuid},
  text TEXT NOT NULL,
  at BIGINT NOT NULL,
  event_id {uuid} NOT NULL
);
CREATE INDEX case_entries_case_id ON case_entries (case_id, id);

CREATE INDEX cases_closed ON cases (closed_at, id) WHERE closed_at IS NOT NULL;
CREATE INDEX account_causes_open ON account_causes (kind, account_id) WHERE until_at IS NULL;
CREATE INDEX account_causes_case_id ON account_causes (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX holds_case_id ON holds (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX holds_state ON holds (state, id);
CREATE INDEX events_case_id ON events (case_id, seq) WHERE case_id IS NOT NULL;
