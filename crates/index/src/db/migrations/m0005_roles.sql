-- Who gave a role to whom: roles given within 30 days of a stop of their giver give nothing while it stands (R15).

CREATE TABLE role_grants (
  role_id {uuid} NOT NULL PRIMARY KEY,
  account_id {uuid} NOT NULL,
  from_at BIGINT NOT NULL
);
CREATE INDEX role_grants_account_id ON role_grants (account_id, from_at);
CREATE INDEX holds_project_id ON holds (project_id) WHERE state = 'waiting';
