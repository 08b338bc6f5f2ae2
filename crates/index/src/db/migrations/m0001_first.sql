-- The first schema, for both engines: {uuid}, {bytes} and {serial} are replaced by the engine's own words.
-- Times are microseconds since 1970, UTC. History rows carry from_at, until_at, began_by, ended_by.

CREATE TABLE accounts (
  id {uuid} NOT NULL PRIMARY KEY,
  username TEXT NOT NULL,
  username_folded TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL,
  password_hash TEXT,
  password_changed_at BIGINT,
  created_at BIGINT NOT NULL,
  began_by {uuid} NOT NULL,
  last_login_at BIGINT
);


CREATE TABLE account_causes (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  case_id {uuid},
  from_at BIGINT NOT NULL,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE INDEX account_causes_account_id ON account_causes (account_id);

CREATE TABLE staff_roles (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  role TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE INDEX staff_roles_account_id ON staff_roles (account_id);

CREATE TABLE addresses (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  address TEXT NOT NULL,
  folded TEXT NOT NULL,
  is_primary BOOLEAN NOT NULL,
  verified_at BIGINT,
  from_at BIGINT NOT NULL,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE INDEX addresses_account_id ON addresses (account_id);

CREATE TABLE factors (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  kind TEXT NOT NULL,
  label TEXT NOT NULL,
  secret_sealed {bytes} NOT NULL,
  last_step BIGINT,
  last_used_at BIGINT,
  from_at BIGINT NOT NULL,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE INDEX factors_account_id ON factors (account_id);

CREATE TABLE recovery_sets (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  salt {bytes} NOT NULL,
  proved_at BIGINT,
  from_at BIGINT NOT NULL,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE INDEX recovery_sets_account_id ON recovery_sets (account_id);

CREATE TABLE recovery_codes (
  id {uuid} NOT NULL PRIMARY KEY,
  set_id {uuid} NOT NULL,
  digest {bytes} NOT NULL,
  used_at BIGINT,
  ended_by {uuid}
);
CREATE INDEX recovery_codes_set_id ON recovery_codes (set_id);

CREATE TABLE sessions (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  token_digest {bytes} NOT NULL UNIQUE,
  factor_id {uuid},
  created_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  proved_at BIGINT,
  proved_with TEXT,
  mailbox_proved_at BIGINT,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE INDEX sessions_account_id ON sessions (account_id);

CREATE TABLE sign_in_attempts (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  token_digest {bytes} NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  began_by {uuid} NOT NULL,
  spent_at BIGINT
);
CREATE INDEX sign_in_attempts_account_id ON sign_in_attempts (account_id);

CREATE TABLE mailbox_codes (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  session_id {uuid} NOT NULL,
  address_id {uuid} NOT NULL,
  code_hash {bytes} NOT NULL,
  tries BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  spent_at BIGINT,
  began_by {uuid} NOT NULL
);
CREATE INDEX mailbox_codes_account_id ON mailbox_codes (account_id);

CREATE TABLE links (
  id {uuid} NOT NULL PRIMARY KEY,
  purpose TEXT NOT NULL,
  account_id {uuid},
  address_id {uuid},
  session_id {uuid},
  token_digest {bytes} NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  spent_at BIGINT,
  began_by {uuid}
);
CREATE INDEX links_account_id ON links (account_id);

CREATE TABLE acts (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  session_id {uuid} NOT NULL,
  action TEXT NOT NULL,
  digest {bytes} NOT NULL,
  description TEXT NOT NULL,
  parameters TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  proved_at BIGINT,
  proved_with TEXT,
  spent_at BIGINT
);
CREATE INDEX acts_account_id ON acts (account_id);

CREATE TABLE api_tokens (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  description TEXT NOT NULL,
  key_sealed {bytes} NOT NULL,
  caveats TEXT NOT NULL,
  scope TEXT NOT NULL,
  project_id {uuid},
  actions TEXT NOT NULL,
  expires_at BIGINT,
  last_used_at BIGINT,
  last_used_event {uuid},
  from_at BIGINT NOT NULL,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE INDEX api_tokens_account_id ON api_tokens (account_id);

CREATE TABLE projects (
  id {uuid} NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  normalized TEXT NOT NULL UNIQUE,
  look_alike TEXT NOT NULL UNIQUE,
  serial BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  began_by {uuid} NOT NULL
);


CREATE TABLE roles (
  id {uuid} NOT NULL PRIMARY KEY,
  project_id {uuid} NOT NULL,
  account_id {uuid} NOT NULL,
  role TEXT NOT NULL,
  founding BOOLEAN NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE INDEX roles_project_id ON roles (project_id);
CREATE INDEX roles_account_id ON roles (account_id);

CREATE TABLE releases (
  id {uuid} NOT NULL PRIMARY KEY,
  project_id {uuid} NOT NULL,
  version TEXT NOT NULL,
  canonical TEXT NOT NULL,
  metadata TEXT NOT NULL,
  summary TEXT NOT NULL,
  requires_python TEXT,
  is_prerelease BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  yanked_at BIGINT,
  yanked_reason TEXT,
  began_by {uuid} NOT NULL,
  until_at BIGINT,
  ended_by {uuid}
);
CREATE INDEX releases_project_id ON releases (project_id);

CREATE TABLE files (
  id {uuid} NOT NULL PRIMARY KEY,
  project_id {uuid} NOT NULL,
  release_id {uuid} NOT NULL,
  filename TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  python_version TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  md5 TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  blake2_256 TEXT NOT NULL UNIQUE,
  metadata_sha256 TEXT,
  metadata_size_bytes BIGINT,
  requires_python TEXT,
  comment TEXT,
  uploaded_at BIGINT NOT NULL,
  began_by {uuid} NOT NULL,
  until_at BIGINT,
  ended_by {uuid}
);
CREATE INDEX files_project_id ON files (project_id);
CREATE INDEX files_release_id ON files (release_id);

-- What lists show of a project, from its newest release; written with every change of its releases.
CREATE TABLE project_lines (
  line {serial},
  project_id {uuid} NOT NULL UNIQUE,
  version TEXT NOT NULL,
  summary TEXT NOT NULL,
  released_at BIGINT NOT NULL
);

CREATE TABLE prohibited_names (
  normalized TEXT NOT NULL PRIMARY KEY,
  reason TEXT NOT NULL,
  created_at BIGINT NOT NULL
);


CREATE TABLE events (
  seq {serial},
  id {uuid} NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  at BIGINT NOT NULL,
  account_id {uuid},
  actor_account_id {uuid},
  actor TEXT NOT NULL,
  project_id {uuid},
  credential TEXT NOT NULL,
  credential_id {uuid},
  direction TEXT NOT NULL,
  case_id {uuid},
  request_id TEXT NOT NULL,
  detail TEXT NOT NULL,
  commitment {bytes} NOT NULL
);


CREATE TABLE event_private (
  event_id {uuid} NOT NULL PRIMARY KEY,
  subject {uuid} NOT NULL,
  network_hash {bytes},
  sealed {bytes} NOT NULL
);
CREATE INDEX event_private_network_hash ON event_private (network_hash);

CREATE TABLE subject_keys (
  subject {uuid} NOT NULL PRIMARY KEY,
  key_sealed {bytes} NOT NULL,
  created_at BIGINT NOT NULL
);


CREATE TABLE event_counts (
  kind TEXT NOT NULL,
  key {bytes} NOT NULL,
  window_at BIGINT NOT NULL,
  rows BIGINT NOT NULL,
  counted BIGINT NOT NULL,
  closed_by {uuid},
  PRIMARY KEY (kind, key, window_at)
);


CREATE TABLE jobs (
  id {uuid} NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,
  payload TEXT NOT NULL,
  enclosed {bytes},
  state TEXT NOT NULL,
  tries BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  run_at BIGINT NOT NULL,
  locked_until BIGINT,
  finished_at BIGINT,
  last_error TEXT
);


CREATE TABLE limit_windows (
  name TEXT NOT NULL,
  key {bytes} NOT NULL,
  window_s BIGINT NOT NULL,
  window_at BIGINT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (name, key, window_s, window_at)
);


-- One open row per address, per role, per factor kind; one version per project.
CREATE UNIQUE INDEX addresses_open ON addresses (folded) WHERE until_at IS NULL;
CREATE UNIQUE INDEX addresses_primary ON addresses (account_id) WHERE until_at IS NULL AND is_primary;
CREATE UNIQUE INDEX roles_open ON roles (project_id, account_id) WHERE until_at IS NULL;
CREATE UNIQUE INDEX staff_roles_open ON staff_roles (account_id, role) WHERE until_at IS NULL;
CREATE UNIQUE INDEX factors_totp ON factors (account_id) WHERE until_at IS NULL AND kind = 'totp';
CREATE UNIQUE INDEX recovery_sets_open ON recovery_sets (account_id) WHERE until_at IS NULL;
CREATE UNIQUE INDEX releases_version ON releases (project_id, canonical);
CREATE INDEX releases_newest ON releases (created_at, id);
CREATE INDEX projects_newest ON projects (created_at, id);
CREATE INDEX projects_serial ON projects (serial);
CREATE INDEX files_sha256 ON files (sha256);
CREATE INDEX files_metadata_sha256 ON files (metadata_sha256);
CREATE INDEX events_account ON events (account_id, seq);
CREATE INDEX events_actor ON events (actor_account_id, seq);
CREATE INDEX events_project ON events (project_id, seq);
CREATE INDEX events_kind ON events (kind, seq);
CREATE INDEX event_counts_open ON event_counts (window_at) WHERE closed_by IS NULL;
CREATE INDEX jobs_ready ON jobs (run_at, id) WHERE state IN ('ready', 'running');
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE state IN ('done', 'failed');
CREATE INDEX limit_windows_old ON limit_windows (window_at);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE INDEX sign_in_attempts_expiry ON sign_in_attempts (expires_at);
CREATE INDEX mailbox_codes_expiry ON mailbox_codes (expires_at);
CREATE INDEX links_expiry ON links (expires_at);
CREATE INDEX acts_expiry ON acts (expires_at);
