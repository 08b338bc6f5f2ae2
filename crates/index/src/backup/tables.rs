//! The rows of all tables, out and in: one file a table, one JSON array a line. Which tables and columns there are is asked of the database,
//! so that none is forgotten; what is worked out from others (the search index) is left out and built anew.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Table;
use crate::db::{Engine, Read, Reading, Tx};

/// How many rows are read at once.
const PAGE: usize = 1000;
/// How many values one statement carries at most; SQLite takes 32,766.
const VALUES_MOST: usize = 8000;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Flag,
    Bytes,
    /// A UUID: sixteen bytes on SQLite.
    Id,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: Kind,
    /// Counts by itself, so that its counter must follow.
    counts: bool,
}

#[derive(Clone, Debug)]
struct Shape {
    name: String,
    columns: Vec<Column>,
}

const SHAPES_SQLITE: &str = "SELECT m.name AS tab, p.name AS name, lower(p.type) AS kind, m.rowid < 0 AS counts FROM sqlite_master m \
    JOIN pragma_table_info(m.name) p WHERE m.type = 'table' ORDER BY m.name, p.cid";
const SHAPES_POSTGRES: &str = "SELECT c.relname::text AS tab, a.attname::text AS name, format_type(a.atttypid, NULL) AS kind, \
    a.attidentity <> '' AS counts FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = current_schema() AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
    ORDER BY c.relname, a.attnum";

/// What the engines and the migrations keep for themselves, and what is built anew.
fn is_ours(table: &str) -> bool {
    !["sqlite_", "seaql_", "search_index"].iter().any(|prefix| table.starts_with(prefix))
}

async fn shapes<R: Reading>(read: &R) -> anyhow::Result<Vec<Shape>> {
    let sql = if read.engine() == Engine::Sqlite { SHAPES_SQLITE } else { SHAPES_POSTGRES };
    let mut shapes: Vec<Shape> = Vec::new();
    for row in read.rows(sql, Vec::new()).await? {
        let (table, name, kind): (String, String, String) = (row.try_get("", "tab")?, row.try_get("", "name")?, row.try_get("", "kind")?);
        if !is_ours(&table) {
            continue;
        }
        let kind = match kind.as_str() {
            "text" => Kind::Text,
            "bigint" | "integer" => Kind::Number,
            "boolean" => Kind::Flag,
            "bytea" | "blob" => Kind::Bytes,
            "uuid" => Kind::Id,
            other => bail!("the column {table}.{name} has the type {other}, which no backup holds"),
        };
        let column = Column { name, kind, counts: row.try_get("", "counts")? };
        match shapes.last_mut().filter(|shape| shape.name == table) {
            Some(shape) => shape.columns.push(column),
            None => shapes.push(Shape { name: table, columns: vec![column] }),
        }
    }
    Ok(shapes)
}

/// A writer that knows the digest of what went through it.
struct Hashed<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> Hashed<W> {
    fn line(&mut self, text: &str) -> std::io::Result<()> {
        for part in [text.as_bytes(), b"\n".as_slice()] {
            self.hash.update(part);
            self.inner.write_all(part)?;
        }
        Ok(())
    }
}

/// Writes every table; the first line of each file names its columns.
pub(super) async fn dump(read: &Read, to: &Path) -> anyhow::Result<Vec<Table>> {
    super::make(to)?;
    let mut tables = Vec::new();
    for shape in shapes(read).await? {
        let path = to.join(format!("{}.jsonl", shape.name));
        let file = File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
        let mut out = Hashed { inner: BufWriter::new(file), hash: Sha256::new() };
        out.line(&serde_json::to_string(&shape.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>())?)?;
        let rows = dump_rows(read, &shape, &mut out).await.with_context(|| format!("the table {}", shape.name))?;
        let file = out.inner.into_inner().map_err(|e| anyhow!("{}: {e}", path.display()))?;
        file.sync_all().with_context(|| format!("{} cannot be written", path.display()))?;
        tables.push(Table { name: shape.name, rows, sha256: hex::encode(out.hash.finalize()) });
    }
    Ok(tables)
}

async fn dump_rows(read: &Read, shape: &Shape, out: &mut Hashed<BufWriter<File>>) -> anyhow::Result<u64> {
    let columns = quoted(shape.columns.iter().map(|column| column.name.as_str()));
    let (mut count, mut after) = (0, -1_i64);
    let cursor = format!("copy_of_{}", shape.name);
    if read.engine() == Engine::Postgres {
        let declare = format!("DECLARE {cursor} NO SCROLL CURSOR FOR {} {columns} FROM \"{}\"", "SELECT", shape.name);
        read.connection().execute_unprepared(&declare).await?;
    }
    loop {
        let rows = match read.engine() {
            Engine::Sqlite => {
                let sql =
                    format!("{} rowid AS place, {columns} FROM \"{}\" WHERE rowid > $1 ORDER BY rowid LIMIT {PAGE}", "SELECT", shape.name);
                read.rows(&sql, vec![Value::from(after)]).await?
            }
            Engine::Postgres => {
                let fetch = Statement::from_string(sea_orm::DatabaseBackend::Postgres, format!("FETCH {PAGE} FROM {cursor}"));
                read.connection().query_all_raw(fetch).await?
            }
        };
        for row in &rows {
            let values = shape.columns.iter().map(|column| read_value(row, column)).collect::<anyhow::Result<Vec<Json>>>()?;
            out.line(&serde_json::to_string(&values)?)?;
            count += 1;
        }
        if rows.len() < PAGE {
            return Ok(count);
        }
        if read.engine() == Engine::Sqlite {
            after = rows.last().map(|row| row.try_get("", "place")).transpose()?.unwrap_or(after);
        }
    }
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// Bytes and ids are written as hex, so that both engines read what the other wrote.
fn read_value(row: &QueryResult, column: &Column) -> anyhow::Result<Json> {
    let name = column.name.as_str();
    Ok(match column.kind {
        Kind::Text => json!(row.try_get::<Option<String>>("", name)?),
        Kind::Number => json!(row.try_get::<Option<i64>>("", name)?),
        Kind::Flag => json!(row.try_get::<Option<bool>>("", name)?),
        Kind::Bytes => json!(row.try_get::<Option<Vec<u8>>>("", name)?.map(hex::encode)),
        Kind::Id => json!(row.try_get::<Option<Uuid>>("", name)?.map(|id| hex::encode(id.as_bytes()))),
    })
}

/// Reads every table of a backup into tables that are there and empty.
pub(super) async fn load(tx: &Tx, from: &Path, tables: &[Table]) -> anyhow::Result<u64> {
    let mut loaded = 0;
    let shapes = shapes(tx).await?;
    for table in tables {
        let shape = shapes.iter().find(|shape| shape.name == table.name).ok_or_else(|| anyhow!("no table is called {}", table.name))?;
        let rows = load_table(tx, from, (shape, table)).await.with_context(|| format!("the table {} of the backup", table.name))?;
        if rows != table.rows {
            bail!("the table {} has {rows} rows, the manifest says {}", table.name, table.rows);
        }
        follow_counter(tx, shape).await?;
        loaded += rows;
    }
    Ok(loaded)
}

async fn load_table(tx: &Tx, from: &Path, (shape, table): (&Shape, &Table)) -> anyhow::Result<u64> {
    let mut hash = Sha256::new();
    let mut lines = BufReader::new(File::open(from.join(format!("{}.jsonl", table.name)))?).lines();
    let mut next = || -> anyhow::Result<Option<String>> {
        let line = lines.next().transpose()?;
        if let Some(line) = &line {
            hash.update(line.as_bytes());
            hash.update(b"\n");
        }
        Ok(line)
    };
    let names: Vec<String> = serde_json::from_str(&next()?.ok_or_else(|| anyhow!("its file is empty"))?)?;
    let find = |name: &String| shape.columns.iter().find(|column| column.name == *name).cloned();
    let columns: Vec<Column> =
        names.iter().map(|name| find(name).ok_or_else(|| anyhow!("no column is called {name}"))).collect::<anyhow::Result<_>>()?;
    let at_once = (VALUES_MOST / columns.len().max(1)).max(1);
    let (mut rows, mut values) = (0, Vec::new());
    while let Some(line) = next()? {
        let row: Vec<Json> = serde_json::from_str(&line)?;
        if row.len() != columns.len() {
            bail!("row {} has {} values for {} columns", rows + 1, row.len(), columns.len());
        }
        for (json, column) in row.iter().zip(&columns) {
            values.push(write_value(json, column, tx.engine())?);
        }
        rows += 1;
        if values.len() >= at_once * columns.len() {
            insert(tx, &table.name, &columns, std::mem::take(&mut values)).await?;
        }
    }
    insert(tx, &table.name, &columns, values).await?;
    let found = hex::encode(hash.finalize());
    if found != table.sha256 {
        bail!("its file was changed since the backup was made");
    }
    Ok(rows)
}

async fn insert(tx: &Tx, table: &str, columns: &[Column], values: Vec<Value>) -> anyhow::Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let mut place = 0;
    let mut one = || {
        let places: Vec<String> = columns
            .iter()
            .map(|_| {
                place += 1;
                format!("${place}")
            })
            .collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..values.len() / columns.len()).map(|_| one()).collect();
    let names = quoted(columns.iter().map(|column| column.name.as_str()));
    tx.execute(&format!("{} INTO \"{table}\" ({names}) VALUES {}", "INSERT", rows.join(", ")), values).await?;
    Ok(())
}

fn write_value(json: &Json, column: &Column, engine: Engine) -> anyhow::Result<Value> {
    let wrong = || anyhow!("the column {} holds {json}", column.name);
    let bytes = || -> anyhow::Result<Option<Vec<u8>>> {
        if json.is_null() {
            return Ok(None);
        }
        Ok(Some(hex::decode(json.as_str().ok_or_else(wrong)?)?))
    };
    Ok(match column.kind {
        Kind::Text => Value::from(json.as_str().map(str::to_owned)),
        Kind::Number => Value::from(json.as_i64()),
        Kind::Flag => Value::from(json.as_bool()),
        Kind::Bytes => Value::from(bytes()?),
        Kind::Id if engine == Engine::Postgres => Value::from(bytes()?.map(|bytes| Uuid::from_slice(&bytes)).transpose()?),
        Kind::Id => Value::from(bytes()?),
    })
}

/// PostgreSQL's counters know nothing of rows that brought their number along.
async fn follow_counter(tx: &Tx, shape: &Shape) -> anyhow::Result<()> {
    for column in shape.columns.iter().filter(|column| column.counts) {
        let (table, name) = (&shape.name, &column.name);
        let most = format!("(SELECT COALESCE(MAX(\"{name}\"), 0) + 1 FROM \"{table}\")");
        tx.rows(&format!("{} setval(pg_get_serial_sequence('{table}', '{name}'), {most}, false)::text AS at", "SELECT"), Vec::new())
            .await?;
    }
    Ok(())
}
