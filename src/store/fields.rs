//! Fields of objects and cells of rows as conditions of a statement.

use super::path::{FieldPath, Step};
use super::search::{Subject, Term, Test};
use super::select::{Alias, without_nul};
use super::sql::{Dialect, Sql};
use super::stored::Filter;
use super::stream::view_code;
use crate::protocol::message::View;

/// A value inside of a body: a path from the whole of it, or from an element of an array.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    base: &'static str,
    steps: &'a [Step],
}

/// ` AND` its fields are what a field selector says. A field that is absent is empty, as for API servers.
///
/// Fields are the object's: those of a row are looked up in the object of the same name, at the same moment.
pub(super) fn selector(sql: &mut Sql, filter: &Filter, of: Alias, at: i64) {
    let (names, others): (Vec<_>, Vec<_>) = filter
        .fields
        .terms()
        .partition(|(field, ..)| matches!(*field, "metadata.name" | "metadata.namespace"));
    for (field, differs, value) in names {
        sql.push(" AND ");
        match field {
            "metadata.name" => of.push(sql, "v.name", "p.name"),
            _ => of.push(sql, "v.namespace", "p.namespace"),
        }
        sql.push(if differs { " <> " } else { " = " });
        sql.bind(without_nul(value));
    }
    for (field, differs, value) in others {
        let Some(path) = FieldPath::of_members(field.split('.')) else {
            // No object has such a field.
            let empty = differs != value.is_empty();
            sql.push(if empty { " AND 1 = 1" } else { " AND 1 = 0" });
            continue;
        };
        sql.push(" AND ");
        exists(sql, (filter.view, View::Objects), of, at, |sql| {
            sql.push("COALESCE(");
            Place::whole(&path).text(sql);
            sql.push(if differs { ", '') <> " } else { ", '') = " });
            sql.bind(without_nul(value));
        });
    }
}

/// ` AND` a term holds, for a version `v` of some view.
pub(super) fn term(sql: &mut Sql, view: View, term: &Term, at: i64) {
    sql.push(" AND ");
    if let (Some(column), Some(_)) = (column(view, &term.subject), term.test.of_text()) {
        compared(sql, &term.test, |sql| _ = sql.push(column));
        return;
    }
    let (needed, path) = match &term.subject {
        Subject::Field(path) => (View::Objects, Some(path.clone())),
        Subject::Cell(name) => (View::Rows, FieldPath::of_members([&**name].into_iter())),
    };
    let Some(path) = path else {
        sql.push(if term.test.holds_for_absent() {
            "1 = 1"
        } else {
            "1 = 0"
        });
        return;
    };
    let negated = term.test.holds_for_absent();
    // That none of the elements is so, rather than that one is not.
    let positive = term.test.opposite().filter(|_| negated);
    let test = positive.as_ref().unwrap_or(&term.test);
    sql.push(if negated { "NOT " } else { "" });
    exists(sql, (view, needed), Alias::Version, at, |sql| {
        each(sql, "ob.json", path.steps(), 0, &|sql, place| {
            tested(sql, test, place);
        });
    });
}

/// The column that has the text of a field, if there is one.
pub(super) fn column(view: View, subject: &Subject) -> Option<&'static str> {
    let Subject::Field(path) = subject else {
        return None;
    };
    let members: Option<Vec<&str>> = path
        .steps()
        .iter()
        .map(|step| match step {
            Step::Member(name) => Some(name.as_str()),
            Step::Element(_) | Step::Each => None,
        })
        .collect();
    match (view, members?.as_slice()) {
        (_, ["metadata", "name"]) => Some("v.name"),
        (_, ["metadata", "namespace"]) => Some("v.namespace"),
        (_, ["metadata", "uid"]) => Some("v.uid"),
        (View::Objects, ["status", "phase"]) => Some("v.phase"),
        (View::Objects, ["spec", "nodeName"]) => Some("v.node"),
        _ => None,
    }
}

/// The body `ob` of what is needed of the object of a version exists, and `condition` holds for it: its own body, or that
/// of the same object in the other view, at the same moment.
fn exists(
    sql: &mut Sql,
    (view, needed): (View, View),
    of: Alias,
    at: i64,
    condition: impl FnOnce(&mut Sql),
) {
    sql.push("EXISTS (SELECT 1");
    body(sql, (view, needed), of, at);
    sql.push(" AND ");
    condition(sql);
    sql.push(")");
}

/// ` FROM` the body `ob` of what is needed of the object of a version `v`.
pub(super) fn from_body(sql: &mut Sql, views: (View, View), at: i64) {
    body(sql, views, Alias::Version, at);
}

fn body(sql: &mut Sql, (view, needed): (View, View), of: Alias, at: i64) {
    sql.push(" FROM ");
    if view == needed {
        of.push(
            sql,
            "bodies ob WHERE ob.seq = v.body",
            "bodies ob WHERE ob.seq = p.body",
        );
    } else {
        sql.push(
            "versions o JOIN kinds ok ON ok.id = o.kind JOIN bodies ob ON ob.seq = o.body WHERE ok.view = ",
        );
        sql.bind(view_code(needed));
        of.push(
            sql,
            " AND EXISTS (SELECT 1 FROM kinds vk WHERE vk.id = v.kind AND vk.api_group = ok.api_group AND vk.plural = \
             ok.plural) AND o.cluster = v.cluster AND o.namespace = v.namespace AND o.name = v.name AND o.seq <= ",
            " AND EXISTS (SELECT 1 FROM kinds vk WHERE vk.id = p.kind AND vk.api_group = ok.api_group AND vk.plural = \
             ok.plural) AND o.cluster = p.cluster AND o.namespace = p.namespace AND o.name = p.name AND o.seq <= ",
        );
        sql.bind(at).push(" AND o.until > ").bind(at);
    }
}

const ELEMENTS: [&str; 3] = ["e0.value", "e1.value", "e2.value"];

/// A condition of what a path leads to; of any of them, if it leads to each element of an array.
fn each(
    sql: &mut Sql,
    base: &'static str,
    steps: &[Step],
    depth: usize,
    condition: &dyn Fn(&mut Sql, Place<'_>),
) {
    let star = steps.iter().position(|step| *step == Step::Each);
    let split = star.and_then(|at| steps.split_at_checked(at));
    let (Some((array, rest)), Some(element)) = (split, ELEMENTS.get(depth)) else {
        condition(sql, Place { base, steps });
        return;
    };
    let array = Place { base, steps: array };
    sql.push("EXISTS (SELECT 1 FROM ");
    array.elements(sql);
    sql.push(match depth {
        0 => " e0 WHERE ",
        1 => " e1 WHERE ",
        _ => " e2 WHERE ",
    });
    each(
        sql,
        element,
        rest.get(1..).unwrap_or_default(),
        depth + 1,
        condition,
    );
    sql.push(")");
}

impl<'a> Place<'a> {
    /// What a path leads to in the body `ob`.
    pub(super) fn whole(path: &'a FieldPath) -> Self {
        Self {
            base: "ob.json",
            steps: path.steps(),
        }
    }

    /// What is in a column that has JSON.
    pub(super) fn column(base: &'static str) -> Self {
        let steps = &[];
        Self { base, steps }
    }

    /// It as JSON; NULL if it is absent.
    pub(super) fn json(self, sql: &mut Sql) {
        sql.push(self.base).either(" -> ", " #> ");
        match sql.dialect {
            Dialect::Sqlite => _ = sql.bind(self.path()),
            Dialect::Postgres => self.array(sql),
        }
    }

    /// The text of it: of a string what it says, of anything else its JSON. NULL if it is absent or null.
    pub(super) fn text(self, sql: &mut Sql) {
        match sql.dialect {
            Dialect::Sqlite => {
                sql.push("CASE ");
                self.json_type(sql);
                sql.push(" WHEN 'text' THEN ");
                self.extracted(sql);
                sql.push(" WHEN 'null' THEN NULL ELSE ");
                sql.push(self.base).push(" -> ").bind(self.path());
                sql.push(" END");
            }
            Dialect::Postgres => {
                sql.push("(").push(self.base).push(" #>> ");
                self.array(sql);
                sql.push(")");
            }
        }
    }

    /// The number that it is; NULL if it is none, or one that no database counts with.
    pub(super) fn number(self, sql: &mut Sql) {
        sql.push("CASE WHEN ");
        self.json_type(sql);
        match sql.dialect {
            Dialect::Sqlite => {
                sql.push(" IN ('integer', 'real') THEN CAST(");
                self.extracted(sql);
                sql.push(" AS REAL) END");
            }
            Dialect::Postgres => {
                sql.push(" = 'number' AND ");
                self.text(sql);
                sql.push(" ~ '^-?[0-9]{1,30}([.][0-9]{1,30})?([eE][+-]?[0-9]{1,2})?$' THEN CAST(");
                self.text(sql);
                sql.push(" AS DOUBLE PRECISION) END");
            }
        }
    }

    /// Whether it is there: null is.
    fn is_there(self, sql: &mut Sql) {
        self.json_type(sql);
        sql.push(" IS NOT NULL");
    }

    fn json_type(self, sql: &mut Sql) {
        match sql.dialect {
            Dialect::Sqlite => {
                sql.push("json_type(").push(self.base).push(", ");
                sql.bind(self.path()).push(")");
            }
            Dialect::Postgres => {
                sql.push("jsonb_typeof(").push(self.base).push(" #> ");
                self.array(sql);
                sql.push(")");
            }
        }
    }

    fn extracted(self, sql: &mut Sql) {
        sql.push("json_extract(").push(self.base).push(", ");
        sql.bind(self.path()).push(")");
    }

    /// Its elements as rows of one column `value`; none if it is no array.
    fn elements(self, sql: &mut Sql) {
        match sql.dialect {
            Dialect::Sqlite => {
                // Elements as JSON: `value` alone would be text without its quotes.
                sql.push("(SELECT je.json AS value FROM (SELECT CASE je.type WHEN 'text' THEN json_quote(je.value) ");
                sql.push(
                    "WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' WHEN 'null' THEN 'null' ",
                );
                sql.push("ELSE CAST(je.value AS TEXT) END AS json FROM json_each(");
                sql.push(self.base).push(", ").bind(self.path());
                sql.push(") je WHERE ");
                self.json_type(sql);
                sql.push(" = 'array') je)");
            }
            Dialect::Postgres => {
                sql.push("jsonb_array_elements(CASE WHEN ");
                self.json_type(sql);
                sql.push(" = 'array' THEN ");
                sql.push(self.base).push(" #> ");
                self.array(sql);
                sql.push(" END)");
            }
        }
    }

    /// As SQLite reads a path. A member's name has nothing that could end it: `FieldPath` sees to that.
    fn path(self) -> String {
        let mut out = String::from("$");
        for step in self.steps {
            match step {
                Step::Member(name) => out.extend([".\"", name, "\""]),
                Step::Element(number) => out.extend(["[", &number.to_string(), "]"]),
                Step::Each => {}
            }
        }
        out
    }

    /// As PostgreSQL reads a path.
    fn array(self, sql: &mut Sql) {
        sql.push("CAST(ARRAY[");
        sql.list(self.steps, |sql, step| match step {
            Step::Member(name) => _ = sql.bind(&**name),
            Step::Element(number) => _ = sql.bind(number.to_string()),
            Step::Each => _ = sql.bind(""),
        });
        sql.push("] AS TEXT[])");
    }
}

/// Whether a place passes a test.
fn tested(sql: &mut Sql, test: &Test, place: Place<'_>) {
    match test {
        Test::Exists => place.is_there(sql),
        Test::Absent => {
            sql.push("NOT (");
            place.is_there(sql);
            sql.push(")");
        }
        Test::Less(bound) | Test::AtMost(bound) | Test::Greater(bound) | Test::AtLeast(bound) => {
            let operator = match test {
                Test::Less(_) => " < ",
                Test::AtMost(_) => " <= ",
                Test::AtLeast(_) => " >= ",
                _ => " > ",
            };
            match bound.parse::<f64>() {
                Ok(number) if number.is_finite() => {
                    place.number(sql);
                    sql.push(operator).bind(number);
                }
                _ => {
                    place.text(sql);
                    sql.either("", " COLLATE \"C\"");
                    sql.push(operator).bind(without_nul(bound));
                }
            }
        }
        Test::Equals(_) | Test::Differs(_) | Test::Contains(_) => {
            compared(sql, test, |sql| place.text(sql));
        }
    }
}

/// Whether a text passes a test of texts. One that is absent is empty.
fn compared(sql: &mut Sql, test: &Test, text: impl Fn(&mut Sql)) {
    match test {
        Test::Equals(value) | Test::Differs(value) => {
            let differs = matches!(test, Test::Differs(_));
            // Without COALESCE where it makes no difference: then an index can answer.
            if value.is_empty() || differs {
                sql.push("COALESCE(");
                text(sql);
                sql.push(", '')");
            } else {
                text(sql);
            }
            sql.push(if differs { " <> " } else { " = " });
            sql.bind(without_nul(value));
        }
        Test::Contains(value) => {
            text(sql);
            like(sql, format!("%{}%", escaped(value)));
        }
        Test::Exists | Test::Absent => _ = sql.push("1 = 0"),
        Test::Less(_) | Test::AtMost(_) | Test::Greater(_) | Test::AtLeast(_) => {
            sql.push("1 = 0");
        }
    }
}

/// A text is like a pattern, in upper or lower case.
pub(super) fn like(sql: &mut Sql, pattern: String) {
    sql.either(" LIKE ", " ILIKE ");
    sql.bind(without_nul(&pattern)).push(" ESCAPE '\\'");
}

/// A text in a pattern: nothing in it stands for anything else.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
