-- Deletion that can be undone: what is shown at all, and when something was erased for good.

-- When the bytes behind a deletion were removed: from then on it cannot be undone, and its names stay taken (R24).
ALTER TABLE project_locks ADD COLUMN erased_at BIGINT;
-- When the personal data of a deleted account was erased (R27); its user name stays taken.
ALTER TABLE accounts ADD COLUMN erased_at BIGINT;
CREATE INDEX account_causes_deleted ON account_causes (from_at) WHERE kind = 'deleted' AND until_at IS NULL;

-- What readers see. A lock of any kind but `archived` hides what it is on, and everything in it.
CREATE VIEW shown_projects AS SELECT p.id, p.name, p.normalized, p.look_alike, p.serial, p.created_at, p.began_by FROM projects p
WHERE NOT EXISTS (
  SELECT 1 FROM project_locks k WHERE k.project_id = p.id AND k.until_at IS NULL AND k.kind <> 'archived'
  AND k.release_id IS NULL AND k.file_id IS NULL
);
CREATE VIEW shown_releases AS SELECT r.id, r.project_id, r.version, r.canonical, r.metadata, r.summary, r.requires_python, r.is_prerelease,
r.created_at, r.yanked_at, r.yanked_reason, r.began_by, r.until_at, r.ended_by FROM releases r
WHERE r.until_at IS NULL AND NOT EXISTS (
  SELECT 1 FROM project_locks k WHERE k.project_id = r.project_id AND k.until_at IS NULL AND k.kind <> 'archived'
  AND k.file_id IS NULL AND (k.release_id IS NULL OR k.release_id = r.id)
);
CREATE VIEW shown_files AS SELECT f.id, f.project_id, f.release_id, f.filename, f.kind, f.python_version, f.size_bytes, f.md5, f.sha256,
f.blake2_256, f.metadata_sha256, f.metadata_size_bytes, f.requires_python, f.comment, f.uploaded_at, f.began_by, f.until_at, f.ended_by FROM files f
WHERE f.until_at IS NULL AND NOT EXISTS (
  SELECT 1 FROM project_locks k WHERE k.project_id = f.project_id AND k.until_at IS NULL AND k.kind <> 'archived'
  AND (k.file_id = f.id OR (k.file_id IS NULL AND (k.release_id IS NULL OR k.release_id = f.release_id)))
);
