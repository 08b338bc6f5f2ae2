-- Security keys, devices, holds, cases, several addresses: what guards an account. Columns are added, nothing is rewritten.

ALTER TABLE accounts ADD COLUMN password_disabled_at BIGINT;
ALTER TABLE accounts ADD COLUMN password_disabled_by {uuid};

ALTER TABLE addresses ADD COLUMN is_public BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE addresses ADD COLUMN unverified_because TEXT;

-- WebAuthn: the identifier is looked up among all accounts; the credential itself is sealed like every secret.
ALTER TABLE factors ADD COLUMN credential_id {bytes};
ALTER TABLE factors ADD COLUMN sign_count BIGINT;
ALTER TABLE factors ADD COLUMN user_verified BOOLEAN;
ALTER TABLE factors ADD COLUMN discoverable BOOLEAN;
ALTER TABLE factors ADD COLUMN backup_eligible BOOLEAN;
ALTER TABLE factors ADD COLUMN backed_up BOOLEAN;
CREATE UNIQUE INDEX factors_credential ON factors (credential_id) WHERE until_at IS NULL AND credential_id IS NOT NULL;

-- A challenge that was handed to a browser: bound to what it is for, spent by one answer.
CREATE TABLE ceremonies (
  id {uuid} NOT NULL PRIMARY KEY,
  purpose TEXT NOT NULL,
  account_id {uuid},
  session_id {uuid},
  attempt_id {uuid},
  act_id {uuid},
  browser_digest {bytes} NOT NULL,
  state_sealed {bytes} NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  spent_at BIGINT
);
CREATE INDEX ceremonies_browser ON ceremonies (browser_digest, purpose);
CREATE INDEX ceremonies_expiry ON ceremonies (expires_at);

-- A browser that an account trusts: it spares the mailbox confirmation, never the factor (R33).
CREATE TABLE devices (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  token_digest {bytes} NOT NULL UNIQUE,
  last_seen_at BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE INDEX devices_account_id ON devices (account_id);

ALTER TABLE sessions ADD COLUMN device_id {uuid};

-- A sign-in is a state machine: `stage` is what it waits for (factor, mailbox), `proved_with` what it has.
ALTER TABLE sign_in_attempts ADD COLUMN stage TEXT NOT NULL DEFAULT 'factor';
ALTER TABLE sign_in_attempts ADD COLUMN proved_with TEXT;
ALTER TABLE sign_in_attempts ADD COLUMN factor_id {uuid};
ALTER TABLE sign_in_attempts ADD COLUMN remember_device BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE sign_in_attempts ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;

ALTER TABLE links ADD COLUMN attempt_id {uuid};
ALTER TABLE links ADD COLUMN hold_id {uuid};
ALTER TABLE links ADD COLUMN event_id {uuid};
CREATE INDEX links_attempt_id ON links (attempt_id) WHERE attempt_id IS NOT NULL;
CREATE INDEX links_hold_id ON links (hold_id) WHERE hold_id IS NOT NULL;

ALTER TABLE acts ADD COLUMN factor_id {uuid};

-- One incident: what opened it, whom it concerns, when it was closed.
CREATE TABLE cases (
  id {uuid} NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  account_id {uuid},
  project_id {uuid},
  why TEXT NOT NULL,
  opened_at BIGINT NOT NULL,
  opened_by {uuid} NOT NULL,
  closed_at BIGINT,
  closed_by {uuid}
);
CREATE INDEX cases_account_id ON cases (account_id);
CREATE INDEX cases_open ON cases (opened_at, id) WHERE closed_at IS NULL;

-- A change that waits (R7-R10). `due_at` moves when the index did not serve.
CREATE TABLE holds (
  id {uuid} NOT NULL PRIMARY KEY,
  action TEXT NOT NULL,
  account_id {uuid} NOT NULL,
  project_id {uuid},
  subject TEXT NOT NULL,
  payload TEXT NOT NULL,
  description TEXT NOT NULL,
  proposer_id {uuid} NOT NULL,
  session_id {uuid},
  proved_with TEXT,
  factor_id {uuid},
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  served_from BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  closed_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid},
  case_id {uuid},
  ended_because TEXT,
  used_at BIGINT,
  veto_mailbox {bytes}
);
CREATE INDEX holds_account_id ON holds (account_id, id);
CREATE INDEX holds_proposer_id ON holds (proposer_id, id);
CREATE INDEX holds_subject ON holds (subject, closed_at);
CREATE INDEX holds_due ON holds (due_at) WHERE state = 'waiting';
-- One open hold per subject and kind.
CREATE UNIQUE INDEX holds_open ON holds (action, subject) WHERE state = 'waiting';

CREATE TABLE hold_people (
  id {uuid} NOT NULL PRIMARY KEY,
  hold_id {uuid} NOT NULL,
  account_id {uuid} NOT NULL,
  settled BOOLEAN NOT NULL,
  may_veto BOOLEAN NOT NULL,
  told_at BIGINT,
  approved_at BIGINT
);
CREATE UNIQUE INDEX hold_people_one ON hold_people (hold_id, account_id);
CREATE INDEX hold_people_account_id ON hold_people (account_id, hold_id);

-- When the index last served: the clocks of holds stand still while it does not (R9).
CREATE TABLE serving (
  name TEXT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL
);

-- Every mail that was to be sent: what administrators see of delivery. No address, no words.
CREATE TABLE deliveries (
  id {uuid} NOT NULL PRIMARY KEY,
  event_id {uuid} NOT NULL,
  kind TEXT NOT NULL,
  account_id {uuid},
  address_id {uuid} NOT NULL,
  message_id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  tries BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  last_error TEXT
);
CREATE INDEX deliveries_changed ON deliveries (changed_at, id);
CREATE INDEX deliveries_state ON deliveries (state, changed_at);
CREATE INDEX deliveries_event_id ON deliveries (event_id);
CREATE INDEX deliveries_address_id ON deliveries (address_id);

-- Who was contained from which mailbox (R17): a second one within 30 days pauses nothing.
CREATE TABLE containments (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  folded TEXT NOT NULL,
  case_id {uuid} NOT NULL,
  at BIGINT NOT NULL,
  paused BOOLEAN NOT NULL,
  began_by {uuid} NOT NULL
);
CREATE INDEX containments_account_id ON containments (account_id, at);

-- Addresses whose notices carry no link (R17): what its owner said is not theirs.
CREATE TABLE quiet_addresses (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  folded TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  began_by {uuid} NOT NULL
);
CREATE UNIQUE INDEX quiet_addresses_one ON quiet_addresses (account_id, folded);

-- A credential that an alarm stopped on one project for a day (R14).
CREATE TABLE pauses (
  id {uuid} NOT NULL PRIMARY KEY,
  project_id {uuid} NOT NULL,
  credential_id {uuid} NOT NULL,
  account_id {uuid} NOT NULL,
  raised_by {uuid} NOT NULL,
  case_id {uuid} NOT NULL,
  from_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  began_by {uuid} NOT NULL
);
CREATE INDEX pauses_credential ON pauses (credential_id, project_id, expires_at);
CREATE INDEX pauses_raised ON pauses (raised_by, project_id, from_at);

-- The way back of a contained account (R16): what was proved in one browser. Without an account it is a name that nobody has.
CREATE TABLE take_backs (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid},
  begun_with TEXT NOT NULL,
  token_digest {bytes} NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  address_id {uuid},
  address_proved_at BIGINT,
  factor_id {uuid},
  factor_proved_at BIGINT,
  proved_with TEXT,
  spent_at BIGINT,
  began_by {uuid} NOT NULL
);
CREATE INDEX take_backs_account_id ON take_backs (account_id);
CREATE INDEX take_backs_expiry ON take_backs (expires_at);

-- A take-back with less than both proofs waits (R16); one that waits for each account and kind of proof.
CREATE TABLE take_back_waits (
  id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  proof TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  until_at BIGINT,
  began_by {uuid} NOT NULL,
  ended_by {uuid}
);
CREATE UNIQUE INDEX take_back_waits_open ON take_back_waits (account_id, proof) WHERE until_at IS NULL;
