//! What pages, feeds and the JSON API show of projects, releases, files and people. Reads only; the newest release is chosen here.

use formats::{CoreMetadata, Version};
use sea_orm::{QueryResult, Value};

use super::line::{Line, plain};
use crate::clock::Time;
use crate::db::Reading;
use crate::ids::{AccountId, ProjectId, ReleaseId};
use crate::refused::Refused;

const RELEASES: &str = "SELECT id, version, is_prerelease, yanked_at, yanked_reason, created_at FROM shown_releases WHERE project_id = $1";
const FILE_COUNTS: &str = "SELECT release_id, COUNT(*) AS files FROM shown_files WHERE project_id = $1 GROUP BY release_id";
const RELEASE: &str = "SELECT metadata, summary, requires_python FROM releases WHERE id = $1";
const FILES_OF_PROJECT: &str = "SELECT release_id, filename, kind, python_version, size_bytes, md5, sha256, blake2_256, metadata_sha256, \
                                requires_python, comment, uploaded_at FROM shown_files \
                                WHERE project_id = $1 ORDER BY filename";
const FILES_OF_RELEASE: &str = "SELECT release_id, filename, kind, python_version, size_bytes, md5, sha256, blake2_256, metadata_sha256, \
                                requires_python, comment, uploaded_at FROM shown_files \
                                WHERE release_id = $1 ORDER BY filename";
const PEOPLE: &str = "SELECT r.role, a.username FROM roles r JOIN accounts a ON a.id = r.account_id \
                      WHERE r.project_id = $1 AND r.until_at IS NULL \
                      AND NOT EXISTS (SELECT 1 FROM account_causes c WHERE c.account_id = a.id AND c.kind = 'deleted' AND c.until_at IS NULL)";
const ACCOUNT: &str = "SELECT a.id, a.username, a.display_name, a.created_at, e.address AS public_email FROM accounts a \
                       LEFT JOIN addresses e ON e.account_id = a.id AND e.until_at IS NULL AND e.is_public AND e.verified_at IS NOT NULL \
                       WHERE a.username_folded = $1 AND (a.password_hash IS NOT NULL OR a.password_disabled_at IS NOT NULL) \
                       AND NOT EXISTS (SELECT 1 FROM account_causes c WHERE c.account_id = a.id AND c.kind = 'deleted' AND c.until_at IS NULL)";
const PROJECTS_OF: &str = "SELECT DISTINCT p.name, p.normalized, l.version, l.summary, l.released_at FROM roles r \
                           JOIN shown_projects p ON p.id = r.project_id LEFT JOIN project_lines l ON l.project_id = p.id \
                           WHERE r.account_id = $1 AND r.until_at IS NULL AND p.normalized > $2 ORDER BY p.normalized LIMIT 101";
const NEWEST_RELEASES: &str = "SELECT p.name, p.normalized, r.version, r.summary, r.created_at AS released_at FROM shown_releases r \
                               JOIN projects p ON p.id = r.project_id ORDER BY r.created_at DESC, r.id DESC LIMIT $1";
const NEWEST_OF: &str = "SELECT p.name, p.normalized, r.version, r.summary, r.created_at AS released_at FROM shown_releases r \
                         JOIN projects p ON p.id = r.project_id WHERE r.project_id = $1 \
                         ORDER BY r.created_at DESC, r.id DESC LIMIT $2";
const NEWEST_PROJECTS: &str = "SELECT p.name, p.normalized, l.version, l.summary, p.created_at AS released_at FROM shown_projects p \
                               JOIN project_lines l ON l.project_id = p.id ORDER BY p.created_at DESC, p.id DESC LIMIT $1";
const COUNTS: &str = "SELECT (SELECT COUNT(*) FROM shown_projects) AS projects, \
                      (SELECT COUNT(*) FROM shown_releases) AS releases, \
                      (SELECT COUNT(*) FROM shown_files) AS files, \
                      (SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM shown_files) AS bytes";

/// How many projects a page of an account holds.
pub const PROJECTS_PAGE: usize = 100;

/// A release without its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseLine {
    /// The release.
    pub id: ReleaseId,
    /// PEP 440 normalized.
    pub version: String,
    /// Whether it is a pre-release.
    pub is_prerelease: bool,
    /// Why it is yanked, if it is; the reason may be empty.
    pub yanked: Option<String>,
    /// When its first file came.
    pub created_at: Time,
    /// For the order of versions; none for a stored version that does not read.
    order: Option<Version>,
}

/// What a release says of itself.
#[derive(Clone, Debug)]
pub struct Release {
    /// The core metadata of its first file.
    pub metadata: CoreMetadata,
    /// One line.
    pub summary: String,
    /// The Pythons it is for.
    pub requires_python: Option<String>,
}

/// A file of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The release it belongs to.
    pub release: ReleaseId,
    /// Its name.
    pub filename: String,
    /// `sdist` or `bdist_wheel`.
    pub kind: String,
    /// The Python tag, or `source`.
    pub python_version: String,
    /// Its size.
    pub size_bytes: u64,
    /// Lower-case hex.
    pub md5: String,
    /// Lower-case hex.
    pub sha256: String,
    /// Lower-case hex.
    pub blake2_256: String,
    /// Of the metadata served beside it.
    pub metadata_sha256: Option<String>,
    /// The Pythons it is for.
    pub requires_python: Option<String>,
    /// What the uploader said about it.
    pub comment: Option<String>,
    /// When it came.
    pub uploaded_at: Time,
}

/// An account with a role on a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// `Owner` or `Maintainer`.
    pub role: String,
    /// The user name.
    pub username: String,
}

/// An account as everybody sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account.
    pub id: AccountId,
    /// Its user name.
    pub username: String,
    /// The name its holder gave, possibly empty.
    pub display_name: String,
    /// The verified address that its holder lets others see, if one.
    pub public_email: Option<String>,
    /// When it was made.
    pub created_at: Time,
}

/// How much the index holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Projects.
    pub projects: u64,
    /// Releases.
    pub releases: u64,
    /// Files.
    pub files: u64,
    /// Bytes of all files together.
    pub bytes: u64,
}

/// The releases of a project, highest version first.
///
/// # Errors
/// The database.
pub async fn releases<R: Reading>(read: &R, project: ProjectId) -> Result<Vec<ReleaseLine>, Refused> {
    let rows = read.rows(RELEASES, vec![Value::from(project)]).await?;
    let mut lines: Vec<ReleaseLine> = rows.iter().map(ReleaseLine::read).collect::<Result<_, _>>()?;
    lines.sort_by(|a, b| (&b.order, &b.version).cmp(&(&a.order, &a.version)));
    Ok(lines)
}

/// The release that stands for the project: not yanked before yanked, final before pre-release, then the highest version.
#[must_use]
pub fn newest(releases: &[ReleaseLine]) -> Option<&ReleaseLine> {
    releases.iter().max_by_key(|line| (line.yanked.is_none(), !line.is_prerelease, &line.order))
}

impl ReleaseLine {
    fn read(row: &QueryResult) -> Result<Self, Refused> {
        let version: String = row.try_get("", "version")?;
        let (yanked_at, reason): (Option<i64>, Option<String>) = (row.try_get("", "yanked_at")?, row.try_get("", "yanked_reason")?);
        Ok(Self {
            id: row.try_get("", "id")?,
            order: Version::parse(&version).ok(),
            version,
            is_prerelease: row.try_get("", "is_prerelease")?,
            yanked: yanked_at.map(|_| reason.unwrap_or_default()),
            created_at: row.try_get("", "created_at")?,
        })
    }
    /// Whether it is this version, in any spelling.
    #[must_use]
    pub fn is_version(&self, version: &Version) -> bool {
        self.order.as_ref() == Some(version)
    }
}

/// How many files each release of a project has.
///
/// # Errors
/// The database.
pub async fn file_counts<R: Reading>(read: &R, project: ProjectId) -> Result<Vec<(ReleaseId, u64)>, Refused> {
    let rows = read.rows(FILE_COUNTS, vec![Value::from(project)]).await?;
    rows.iter().map(|row| Ok((row.try_get("", "release_id")?, u64::try_from(row.try_get::<i64>("", "files")?).unwrap_or(0)))).collect()
}

/// What a release says of itself.
///
/// # Errors
/// The database; metadata that does not read.
pub async fn release<R: Reading>(read: &R, release: ReleaseId) -> Result<Release, Refused> {
    let row = read.row(RELEASE, vec![Value::from(release)]).await?.ok_or_else(|| anyhow::anyhow!("release {release} is gone"))?;
    Ok(Release {
        metadata: serde_json::from_str(&row.try_get::<String>("", "metadata")?)?,
        summary: row.try_get("", "summary")?,
        requires_python: row.try_get("", "requires_python")?,
    })
}

/// The files of a project, by name.
///
/// # Errors
/// The database.
pub async fn files_of_project<R: Reading>(read: &R, project: ProjectId) -> Result<Vec<File>, Refused> {
    read.rows(FILES_OF_PROJECT, vec![Value::from(project)]).await?.iter().map(File::read).collect()
}

/// The files of a release, by name.
///
/// # Errors
/// The database.
pub async fn files_of_release<R: Reading>(read: &R, release: ReleaseId) -> Result<Vec<File>, Refused> {
    read.rows(FILES_OF_RELEASE, vec![Value::from(release)]).await?.iter().map(File::read).collect()
}

impl File {
    fn read(row: &QueryResult) -> Result<Self, Refused> {
        Ok(Self {
            release: row.try_get("", "release_id")?,
            filename: row.try_get("", "filename")?,
            kind: row.try_get("", "kind")?,
            python_version: row.try_get("", "python_version")?,
            size_bytes: u64::try_from(row.try_get::<i64>("", "size_bytes")?).unwrap_or(0),
            md5: row.try_get("", "md5")?,
            sha256: row.try_get("", "sha256")?,
            blake2_256: row.try_get("", "blake2_256")?,
            metadata_sha256: row.try_get("", "metadata_sha256")?,
            requires_python: row.try_get("", "requires_python")?,
            comment: row.try_get("", "comment")?,
            uploaded_at: row.try_get("", "uploaded_at")?,
        })
    }
}

/// Who holds a role on a project: owners first, then by name.
///
/// # Errors
/// The database.
pub async fn people<R: Reading>(read: &R, project: ProjectId) -> Result<Vec<Person>, Refused> {
    let rows = read.rows(PEOPLE, vec![Value::from(project)]).await?;
    let mut people: Vec<Person> = rows
        .iter()
        .map(|row| Ok(Person { role: row.try_get("", "role")?, username: row.try_get("", "username")? }))
        .collect::<Result<_, Refused>>()?;
    people.sort_by(|a, b| (a.role != "Owner", &a.username).cmp(&(b.role != "Owner", &b.username)));
    Ok(people)
}

/// The completed account of this name, in any case of letters.
///
/// # Errors
/// The database.
pub async fn account<R: Reading>(read: &R, username: &str) -> Result<Option<Account>, Refused> {
    if !username.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(None);
    }
    let folded = formats::name::look_alike(&username.to_ascii_lowercase());
    let Some(row) = read.row(ACCOUNT, vec![Value::from(folded)]).await? else { return Ok(None) };
    let account = Account {
        id: row.try_get("", "id")?,
        username: row.try_get("", "username")?,
        display_name: row.try_get("", "display_name")?,
        public_email: row.try_get("", "public_email")?,
        created_at: row.try_get("", "created_at")?,
    };
    Ok(Some(account).filter(|account| account.username.eq_ignore_ascii_case(username)))
}

/// The projects on which an account holds a role, by name, after the one called `after`; and whether there are more.
///
/// # Errors
/// The database.
pub async fn projects_of<R: Reading>(read: &R, account: AccountId, after: &str) -> Result<(Vec<Line>, bool), Refused> {
    let mut lines = lines(read, PROJECTS_OF, vec![Value::from(account), Value::from(plain(after))]).await?;
    let more = lines.len() > PROJECTS_PAGE;
    lines.truncate(PROJECTS_PAGE);
    Ok((lines, more))
}

/// The newest releases of the index, newest first.
///
/// # Errors
/// The database.
pub async fn newest_releases<R: Reading>(read: &R, most: i64) -> Result<Vec<Line>, Refused> {
    lines(read, NEWEST_RELEASES, vec![Value::from(most)]).await
}

/// The newest releases of a project, newest first.
///
/// # Errors
/// The database.
pub async fn newest_releases_of<R: Reading>(read: &R, project: ProjectId, most: i64) -> Result<Vec<Line>, Refused> {
    lines(read, NEWEST_OF, vec![Value::from(project), Value::from(most)]).await
}

/// The newest projects with a release, newest first; their time is that of the project.
///
/// # Errors
/// The database.
pub async fn newest_projects<R: Reading>(read: &R, most: i64) -> Result<Vec<Line>, Refused> {
    lines(read, NEWEST_PROJECTS, vec![Value::from(most)]).await
}

async fn lines<R: Reading>(read: &R, sql: &str, values: Vec<Value>) -> Result<Vec<Line>, Refused> {
    read.rows(sql, values).await?.iter().map(Line::read).collect()
}

/// How much the index holds.
///
/// # Errors
/// The database.
pub async fn counts<R: Reading>(read: &R) -> Result<Counts, Refused> {
    let Some(row) = read.row(COUNTS, vec![]).await? else { return Ok(Counts::default()) };
    let number = |column: &str| -> Result<u64, Refused> { Ok(u64::try_from(row.try_get::<i64>("", column)?).unwrap_or(0)) };
    Ok(Counts { projects: number("projects")?, releases: number("releases")?, files: number("files")?, bytes: number("bytes")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(version: &str, yanked: bool) -> ReleaseLine {
        let order = Version::parse(version).ok();
        ReleaseLine {
            id: ReleaseId(uuid::Uuid::nil()),
            version: version.to_owned(),
            is_prerelease: order.as_ref().is_some_and(Version::is_prerelease),
            yanked: yanked.then(String::new),
            created_at: Time(0),
            order,
        }
    }

    fn newest_of(lines: &[(&str, bool)]) -> String {
        let lines: Vec<_> = lines.iter().map(|(version, yanked)| line(version, *yanked)).collect();
        newest(&lines).unwrap().version.clone()
    }

    #[test]
    fn the_newest_is_final_and_not_yanked_where_there_is_one() {
        assert_eq!(newest_of(&[("9.0", false), ("10.0", false), ("11.0rc1", false), ("12.0", true)]), "10.0");
        assert_eq!(newest_of(&[("1.0a1", false), ("1.0", true)]), "1.0a1");
        assert_eq!(newest_of(&[("1.0", true), ("2.0a1", true)]), "1.0");
        assert_eq!(newest(&[]), None);
    }
}
