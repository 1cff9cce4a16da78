//! The two databases behind one face: statements go in, rows come out.

use super::error::Error;
use super::sql::{Dialect, Sql, Value};
use bytes::Bytes;
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Postgres, Row as _, Sqlite};

/// Where the objects are.
#[derive(Clone, Debug)]
pub(super) enum Database {
    /// One connection that writes, some that read beside it.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// A transaction that writes. Dropped, it never was.
pub(super) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// A row of an answer.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Database {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { .. } => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(super) fn sql(&self, text: &'static str) -> Sql {
        Sql::new(self.dialect(), text)
    }

    /// Reads: one statement, one state of the database.
    pub(super) async fn fetch(&self, sql: Sql) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Self::Sqlite { readers, .. } => {
                let arguments = for_sqlite(sql.values)?;
                let query = sqlx::query_with(AssertSqlSafe(sql.text), arguments);
                of_sqlite(query.fetch_all(readers).await?)
            }
            Self::Postgres(pool) => {
                let arguments = for_postgres(sql.values)?;
                let query = sqlx::query_with(AssertSqlSafe(sql.text), arguments);
                of_postgres(query.fetch_all(pool).await?)
            }
        })
    }

    /// Begins to write. SQLite takes its one lock at once: a transaction that reads first could not get it later.
    pub(super) async fn begin(&self) -> Result<Transaction, Error> {
        Ok(match self {
            Self::Sqlite { writer, .. } => {
                Transaction::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Self::Postgres(pool) => Transaction::Postgres(pool.begin().await?),
        })
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Transaction {
    pub(super) fn sql(&self, text: &'static str) -> Sql {
        let dialect = match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        };
        Sql::new(dialect, text)
    }

    pub(super) async fn fetch(&mut self, sql: Sql) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Self::Sqlite(transaction) => {
                let arguments = for_sqlite(sql.values)?;
                let query = sqlx::query_with(AssertSqlSafe(sql.text), arguments);
                of_sqlite(query.fetch_all(&mut **transaction).await?)
            }
            Self::Postgres(transaction) => {
                let arguments = for_postgres(sql.values)?;
                let query = sqlx::query_with(AssertSqlSafe(sql.text), arguments);
                of_postgres(query.fetch_all(&mut **transaction).await?)
            }
        })
    }

    /// Answers with the number of rows that it touched.
    pub(super) async fn execute(&mut self, sql: Sql) -> Result<u64, Error> {
        Ok(match self {
            Self::Sqlite(transaction) => {
                let arguments = for_sqlite(sql.values)?;
                let query = sqlx::query_with(AssertSqlSafe(sql.text), arguments);
                query.execute(&mut **transaction).await?.rows_affected()
            }
            Self::Postgres(transaction) => {
                let arguments = for_postgres(sql.values)?;
                let query = sqlx::query_with(AssertSqlSafe(sql.text), arguments);
                query.execute(&mut **transaction).await?.rows_affected()
            }
        })
    }

    pub(super) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}

impl Row {
    pub(super) fn int(&self, column: usize) -> Result<i64, Error> {
        self.maybe_int(column)?.ok_or_else(|| missing(column))
    }

    pub(super) fn maybe_int(&self, column: usize) -> Result<Option<i64>, Error> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn text(&self, column: usize) -> Result<String, Error> {
        self.maybe_text(column)?.ok_or_else(|| missing(column))
    }

    pub(super) fn maybe_text(&self, column: usize) -> Result<Option<String>, Error> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn maybe_bytes(&self, column: usize) -> Result<Option<Bytes>, Error> {
        let bytes: Option<Vec<u8>> = match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        };
        Ok(bytes.map(Bytes::from))
    }
}

fn missing(column: usize) -> Error {
    Error::Refused(format!("column {column} of an answer is missing"))
}

fn of_sqlite(rows: Vec<SqliteRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Sqlite).collect()
}

fn of_postgres(rows: Vec<PgRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Postgres).collect()
}

fn for_sqlite(values: Vec<Value>) -> Result<SqliteArguments, Error> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Int(value) => Arguments::add(&mut arguments, value),
            Value::Float(value) => Arguments::add(&mut arguments, value),
            Value::Text(value) => Arguments::add(&mut arguments, value),
            Value::Bytes(value) => Arguments::add(&mut arguments, value.map(Vec::from)),
            // It has no arrays: its tables are written value by value.
            Value::Ints(_) | Value::Texts(_) | Value::Blobs(_) => {
                Arguments::add(&mut arguments, None::<i64>)
            }
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn for_postgres(values: Vec<Value>) -> Result<PgArguments, Error> {
    let mut arguments = PgArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Int(value) => arguments.add(value),
            Value::Float(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value.map(Vec::from)),
            Value::Ints(column) => arguments.add(column),
            Value::Texts(column) => arguments.add(column),
            Value::Blobs(column) => {
                let column = column.iter().map(|it| it.as_deref());
                arguments.add(column.collect::<Vec<Option<&[u8]>>>())
            }
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
