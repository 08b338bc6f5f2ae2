-- Names are listed and found by their beginning byte for byte, whatever the collation of the database.
CREATE INDEX accounts_bytewise ON accounts (username_folded COLLATE "C");
CREATE INDEX projects_bytewise ON projects (normalized COLLATE "C");
