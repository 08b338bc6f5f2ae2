-- What a restore put back and took away, so that it can be undone as one; a token that stands for one that was ended; what a backup's restore began.

-- One row for each restore and each undo. Its id is that of the event that made it: history rows name it in began_by and ended_by.
CREATE TABLE batches (
  id {uuid} NOT NULL PRIMARY KEY,
  case_id {uuid} NOT NULL,
  account_id {uuid},
  project_id {uuid},
  as_of BIGINT,
  undoes {uuid},
  reason TEXT NOT NULL,
  changed BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE INDEX batches_case_id ON batches (case_id);
CREATE INDEX batches_account_id ON batches (account_id, id) WHERE account_id IS NOT NULL;
CREATE INDEX batches_project_id ON batches (project_id, id) WHERE project_id IS NOT NULL;

-- A token that was put back has a row and a key's seal of its own; its holder goes on presenting the identifier of the first row.
ALTER TABLE api_tokens ADD COLUMN stands_for {uuid};
CREATE INDEX api_tokens_stands_for ON api_tokens (stands_for) WHERE stands_for IS NOT NULL;

-- What one batch began and ended.
CREATE INDEX roles_began_by ON roles (began_by);
CREATE INDEX roles_ended_by ON roles (ended_by) WHERE ended_by IS NOT NULL;
CREATE INDEX project_locks_began_by ON project_locks (began_by);
CREATE INDEX project_locks_ended_by ON project_locks (ended_by) WHERE ended_by IS NOT NULL;
CREATE INDEX holds_project_id ON holds (project_id) WHERE state = 'waiting';

-- A restored backup begins an epoch: until its row is opened, the index only reads and tightens (R18).
CREATE TABLE epochs (
  number BIGINT NOT NULL PRIMARY KEY,
  backup_made_at BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  opened_at BIGINT,
  opened_by {uuid}
);
