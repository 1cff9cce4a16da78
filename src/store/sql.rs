//! A statement under construction: its text is made of literals only, whatever comes from outside is bound.

use bytes::Bytes;

/// Which database a statement is for. They differ in a dozen words, and each of those is written where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// What is bound.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Int(Option<i64>),
    Float(f64),
    Text(Option<String>),
    Bytes(Option<Bytes>),
    /// A column of a [`Sql::table`], for PostgreSQL.
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Blobs(Vec<Option<Bytes>>),
}

/// What a column of a [`Sql::table`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Int,
    Text,
    Bytes,
}

const COLUMNS: [&str; 16] = [
    "column1", "column2", "column3", "column4", "column5", "column6", "column7", "column8",
    "column9", "column10", "column11", "column12", "column13", "column14", "column15", "column16",
];

impl Type {
    fn column(self) -> Value {
        match self {
            Self::Int => Value::Ints(Vec::new()),
            Self::Text => Value::Texts(Vec::new()),
            Self::Bytes => Value::Blobs(Vec::new()),
        }
    }

    fn array(self) -> &'static str {
        match self {
            Self::Int => "::BIGINT[]",
            Self::Text => "::TEXT[]",
            Self::Bytes => "::BYTEA[]",
        }
    }
}

impl Value {
    /// Adds to a column; a value of another type is NULL in it.
    fn append(&mut self, value: Self) {
        match (self, value) {
            (Self::Ints(column), Self::Int(value)) => column.push(value),
            (Self::Texts(column), Self::Text(value)) => column.push(value),
            (Self::Blobs(column), Self::Bytes(value)) => column.push(value),
            (Self::Ints(column), _) => column.push(None),
            (Self::Texts(column), _) => column.push(None),
            (Self::Blobs(column), _) => column.push(None),
            _ => {}
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<Option<Bytes>> for Value {
    fn from(value: Option<Bytes>) -> Self {
        Self::Bytes(value)
    }
}

/// A statement and what is bound to it.
///
/// **Architecture invariant:** nothing that is not a literal of this program becomes part of the text: the type of
/// [`Sql::push`] says so.
#[derive(Clone, Debug)]
pub(super) struct Sql {
    pub(super) dialect: Dialect,
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

impl Sql {
    pub(super) fn new(dialect: Dialect, text: &'static str) -> Self {
        let text = text.to_owned();
        let values = Vec::new();
        Self {
            dialect,
            text,
            values,
        }
    }

    pub(super) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// One text or the other.
    pub(super) fn either(&mut self, sqlite: &'static str, postgres: &'static str) -> &mut Self {
        match self.dialect {
            Dialect::Sqlite => self.push(sqlite),
            Dialect::Postgres => self.push(postgres),
        }
    }

    /// A placeholder, and its value. Plain `?` for SQLite: it looks numbered ones up one by one.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        match self.dialect {
            Dialect::Sqlite => self.text.push('?'),
            Dialect::Postgres => {
                self.text.push('$');
                self.text.push_str(&self.values.len().to_string());
            }
        }
        self
    }

    /// A table `t` of values, to select `t.column1`, `t.column2`, ... from. PostgreSQL gets an array a column: planning a
    /// statement with a placeholder a value takes it longer than all the rest.
    pub(super) fn table<const N: usize>(
        &mut self,
        types: [Type; N],
        rows: impl IntoIterator<Item = [Value; N]>,
    ) -> &mut Self {
        if self.dialect == Dialect::Sqlite {
            self.push("(VALUES ");
            self.list(rows, |sql, row| {
                sql.push("(");
                sql.list(row, |sql, value| _ = sql.bind(value)).push(")");
            });
            return self.push(") t");
        }
        let mut columns = types.map(Type::column);
        for row in rows {
            for (column, value) in columns.iter_mut().zip(row) {
                column.append(value);
            }
        }
        self.push("UNNEST(");
        self.list(columns.into_iter().zip(types), |sql, (column, kind)| {
            sql.bind(column).push(kind.array());
        });
        self.push(") t(");
        self.list(COLUMNS.iter().take(N), |sql, name| _ = sql.push(name));
        self.push(")")
    }

    /// `a, b, c`, each written by `write`.
    pub(super) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            write(self, item);
        }
        self
    }
}
