//! One transaction over SQLite or PostgreSQL. `Tx` may write, `Read` is a snapshot that cannot; nobody above `index` sees either's inside.
//!
//! SQLite has one write connection (`BEGIN IMMEDIATE`) and a pool of readers; PostgreSQL one pool.

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as SeaDatabase, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};
use sea_orm_migration::MigratorTrait;
use std::time::Duration;

use super::migrations::Migrator;
use crate::clock::Time;

/// Which engine stands below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded default.
    Sqlite,
    /// For more than one machine.
    Postgres,
}

/// The connections to the one database of this index.
#[derive(Clone, Debug)]
pub struct Database {
    pub(super) write: DatabaseConnection,
    read: DatabaseConnection,
    /// Which engine it is.
    pub engine: Engine,
}

impl Database {
    /// Connects and brings the schema up to date. `url` is `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// The database cannot be reached, or a migration fails.
    pub async fn open(url: &str) -> Result<Self, DbErr> {
        let database = Self::connect(url).await?;
        Migrator::up(&database.write, None).await?;
        Ok(database)
    }

    /// Brings the schema up to date and closes again; says how many migrations were applied.
    ///
    /// # Errors
    /// The database cannot be reached, or a migration fails.
    pub async fn migrate(url: &str) -> Result<usize, DbErr> {
        let database = Self::connect(url).await?;
        let pending = Migrator::get_pending_migrations(&database.write).await?.len();
        Migrator::up(&database.write, None).await?;
        database.close().await;
        Ok(pending)
    }

    /// Connects to a database that holds nothing and brings it up to the first so many migrations, for the rows of a backup.
    ///
    /// # Errors
    /// The database cannot be reached, or is not empty.
    pub(crate) async fn open_empty(url: &str, migrations: usize) -> Result<Self, DbErr> {
        let database = Self::connect(url).await?;
        if !Migrator::get_applied_migrations(&database.write).await?.is_empty() {
            return Err(DbErr::Custom("it is not empty: a backup is restored into an empty place only".to_owned()));
        }
        Migrator::up(&database.write, Some(u32::try_from(migrations).unwrap_or(u32::MAX))).await?;
        Ok(database)
    }

    /// Applies the migrations that are left.
    ///
    /// # Errors
    /// A migration fails.
    pub(crate) async fn bring_up_to_date(&self) -> Result<(), DbErr> {
        Migrator::up(&self.write, None).await
    }

    async fn connect(url: &str) -> Result<Self, DbErr> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.trim_start_matches("//").to_owned();
            let write = SeaDatabase::connect(sqlite_options(&path, true, 1)).await?;
            let read = SeaDatabase::connect(sqlite_options(&path, false, 6)).await?;
            return Ok(Self { write, read, engine: Engine::Sqlite });
        }
        let mut options = ConnectOptions::new(url.to_owned());
        options.max_connections(16).acquire_timeout(Duration::from_secs(10)).sqlx_logging(false);
        let pool = SeaDatabase::connect(options).await?;
        Ok(Self { write: pool.clone(), read: pool, engine: Engine::Postgres })
    }

    /// Begins a transaction that may write. On SQLite it waits for its turn here, never at the first write.
    ///
    /// # Errors
    /// The database cannot be reached, or the wait for the writer exceeds ten seconds.
    pub(crate) async fn begin(&self, now: Time) -> Result<Tx, DbErr> {
        let options = TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
        let inner = self.write.begin_with_options(options).await?;
        Ok(Tx { inner, engine: self.engine, now, touched: Vec::new(), recorded: Vec::new(), left: false })
    }

    /// A snapshot for reading: it never takes the write lock.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub(crate) async fn read(&self, now: Time) -> Result<Read, DbErr> {
        let options = match self.engine {
            Engine::Sqlite => TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred), ..Default::default() },
            Engine::Postgres => TransactionOptions {
                isolation_level: Some(sea_orm::IsolationLevel::RepeatableRead),
                access_mode: Some(sea_orm::AccessMode::ReadOnly),
                ..Default::default()
            },
        };
        let inner = self.read.begin_with_options(options).await?;
        Ok(Read { inner, engine: self.engine, now })
    }

    /// Closes all connections; on SQLite the write-ahead log is folded in.
    pub async fn close(self) {
        if self.engine == Engine::Sqlite {
            let _ = self.read.close().await;
        }
        let _ = self.write.close().await;
    }

    /// Asks the database for one answer, for the readiness page.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.read.query_one_raw(Statement::from_string(self.read.get_database_backend(), "SELECT 1")).await.map(|_| ())
    }
}

fn sqlite_options(path: &str, writes: bool, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(format!("sqlite://{path}?mode=rwc"));
    options.max_connections(connections).min_connections(1).acquire_timeout(Duration::from_secs(10)).sqlx_logging(false);
    options.map_sqlx_sqlite_opts(move |o| {
        let o = o
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
            .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(true)
            .pragma("recursive_triggers", "ON");
        if writes { o } else { o.pragma("query_only", "ON") }
    });
    options
}

/// What the two kinds of transaction can both be asked.
pub trait Reading: Send + Sync {
    /// The connection that queries run on.
    type Connection: ConnectionTrait;
    /// The connection; queries stay inside this crate.
    fn connection(&self) -> &Self::Connection;
    /// Which engine runs below.
    fn engine(&self) -> Engine;
    /// The moment at which the transaction began, by the injected clock.
    fn now(&self) -> Time;

    /// Rows of a raw query with `$1…` placeholders, which both engines understand.
    fn rows(&self, sql: &str, values: Vec<Value>) -> impl Future<Output = Result<Vec<QueryResult>, DbErr>> + Send {
        let statement = Statement::from_sql_and_values(backend(self.engine()), sql, values);
        async move { self.connection().query_all_raw(statement).await }
    }
    /// The first row of a raw query.
    fn row(&self, sql: &str, values: Vec<Value>) -> impl Future<Output = Result<Option<QueryResult>, DbErr>> + Send {
        let statement = Statement::from_sql_and_values(backend(self.engine()), sql, values);
        async move { self.connection().query_one_raw(statement).await }
    }
}

fn backend(engine: Engine) -> DatabaseBackend {
    match engine {
        Engine::Sqlite => DatabaseBackend::Sqlite,
        Engine::Postgres => DatabaseBackend::Postgres,
    }
}

/// A transaction that may write. It undoes everything when dropped.
#[derive(Debug)]
pub struct Tx {
    inner: DatabaseTransaction,
    engine: Engine,
    now: Time,
    touched: Vec<String>,
    recorded: Vec<&'static str>,
    left: bool,
}

impl Tx {
    /// Runs a raw statement; says how many rows it changed.
    pub(crate) async fn execute(&self, sql: &str, values: Vec<Value>) -> Result<u64, DbErr> {
        let statement = Statement::from_sql_and_values(backend(self.engine), sql, values);
        Ok(self.inner.execute_raw(statement).await?.rows_affected())
    }
    /// Notes that what the index shows of a project (normalized name) changes with this transaction.
    pub(crate) fn touch(&mut self, project: String) {
        self.touched.push(project);
    }
    /// The verb found that everything is as asked already: the transaction is undone, and no event is wanted.
    pub fn leave_as_it_was(&mut self) {
        self.left = true;
    }
    pub(crate) const fn is_left_as_it_was(&self) -> bool {
        self.left
    }
    /// Notes that an event was written; `act` refuses to commit without one.
    pub(crate) fn note_event(&mut self, kind: &'static str) {
        self.recorded.push(kind);
    }
    /// The kinds of event written so far.
    pub(crate) fn recorded(&self) -> &[&'static str] {
        &self.recorded
    }
    /// `FOR SHARE` or `FOR UPDATE` on PostgreSQL; nothing on SQLite, where the one writer holds everything.
    pub(crate) fn lock(&self, exclusive: bool) -> &'static str {
        match (self.engine, exclusive) {
            (Engine::Sqlite, _) => "",
            (Engine::Postgres, true) => " FOR UPDATE",
            (Engine::Postgres, false) => " FOR SHARE",
        }
    }
    /// Makes it last; says which projects' pages are now old.
    pub(crate) async fn commit(self) -> Result<Vec<String>, DbErr> {
        self.inner.commit().await?;
        Ok(self.touched)
    }
    /// Undoes it.
    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        self.inner.rollback().await
    }
}

impl Reading for Tx {
    type Connection = DatabaseTransaction;
    fn connection(&self) -> &DatabaseTransaction {
        &self.inner
    }
    fn engine(&self) -> Engine {
        self.engine
    }
    fn now(&self) -> Time {
        self.now
    }
}

/// A snapshot that cannot write.
#[derive(Debug)]
pub struct Read {
    inner: DatabaseTransaction,
    engine: Engine,
    now: Time,
}

impl Reading for Read {
    type Connection = DatabaseTransaction;
    fn connection(&self) -> &DatabaseTransaction {
        &self.inner
    }
    fn engine(&self) -> Engine {
        self.engine
    }
    fn now(&self) -> Time {
        self.now
    }
}

/// True when a database error is a conflict that another try may not meet (serialization failure, deadlock).
#[must_use]
pub fn is_conflict(e: &DbErr) -> bool {
    let text = e.to_string();
    text.contains("40001") || text.contains("40P01") || text.contains("deadlock detected") || text.contains("could not serialize")
}

/// True when a database error says that a unique value is taken.
#[must_use]
pub fn is_taken(e: &DbErr) -> bool {
    matches!(e.sql_err(), Some(sea_orm::SqlErr::UniqueConstraintViolation(_)))
}
