-- Who is offered a role, what is suspended, and what stops or hides a project. Rows are closed, never overwritten.

-- A role that was offered: the invited account decides; the inviter's rights are asked again when it is accepted.
CREATE TABLE invitations (
  id {uuid} NOT NULL PRIMARY KEY,
  project_id {uuid} NOT NULL,
  account_id {uuid} NOT NULL,
  inviter_id {uuid} NOT NULL,
  role TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  until_at BIGINT,
  outcome TEXT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE UNIQUE INDEX invitations_open ON invitations (project_id, account_id) WHERE until_at IS NULL;
CREATE INDEX invitations_account_id ON invitations (account_id, id);
CREATE INDEX invitations_project_id ON invitations (project_id, id);
CREATE INDEX invitations_inviter_id ON invitations (inviter_id, id);
CREATE INDEX invitations_expiry ON invitations (expires_at) WHERE until_at IS NULL;

-- A role, token or invitation that gives nothing while the row is open (R11, R15, R18): it is not rewritten, so the way back is exact.
CREATE TABLE suspensions (
  id {uuid} NOT NULL PRIMARY KEY,
  what TEXT NOT NULL,
  what_id {uuid} NOT NULL,
  account_id {uuid} NOT NULL,
  project_id {uuid},
  hold_id {uuid},
  case_id {uuid},
  reason TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE INDEX suspensions_what_id ON suspensions (what_id) WHERE until_at IS NULL;
CREATE INDEX suspensions_account_id ON suspensions (account_id, id);
CREATE INDEX suspensions_case_id ON suspensions (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX suspensions_hold_id ON suspensions (hold_id) WHERE hold_id IS NOT NULL;

-- Why a project, one of its releases or one of its files is not shown or takes nothing new: deleted, withdrawn, quarantined, archived.
-- Without a release and a file it concerns the whole project; several causes may stand beside each other.
CREATE TABLE project_locks (
  id {uuid} NOT NULL PRIMARY KEY,
  project_id {uuid} NOT NULL,
  release_id {uuid},
  file_id {uuid},
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  case_id {uuid},
  from_at BIGINT NOT NULL,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE INDEX project_locks_project_id ON project_locks (project_id, id);
CREATE INDEX project_locks_open ON project_locks (project_id) WHERE until_at IS NULL;
CREATE INDEX project_locks_release_id ON project_locks (release_id) WHERE release_id IS NOT NULL AND until_at IS NULL;
CREATE INDEX project_locks_file_id ON project_locks (file_id) WHERE file_id IS NOT NULL AND until_at IS NULL;
CREATE INDEX project_locks_case_id ON project_locks (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX project_locks_old ON project_locks (kind, from_at) WHERE until_at IS NULL;
