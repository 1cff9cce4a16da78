//! The columns of one table whose rows come from several clusters.

use mqtt_informer::protocol::rows;

/// A column as some API server defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As the API server words it: `Name`, `Nominated Node`.
    pub name: String,
    /// It holds the objects' names.
    pub names_objects: bool,
    /// Shown in wide output only.
    pub wide_only: bool,
}

impl From<&rows::Column> for Column {
    fn from(column: &rows::Column) -> Self {
        Self {
            name: column.name.clone(),
            names_objects: column.format == "name" && column.r#type == "string",
            wide_only: column.priority != 0,
        }
    }
}

/// The union of several tables' columns by name, in the order in which they were first seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    columns: Vec<Column>,
}

impl Columns {
    /// Adds a table's columns; answers in which of the union's columns each of them lies.
    ///
    /// A table that has two columns of one name keeps both: the second goes with the union's second.
    pub fn add(&mut self, columns: &[Column]) -> Vec<usize> {
        let mut places: Vec<usize> = Vec::with_capacity(columns.len());
        for column in columns {
            let free = |(place, known): (usize, &Column)| {
                (known.name == column.name && !places.contains(&place)).then_some(place)
            };
            let place = self.columns.iter().enumerate().find_map(free);
            places.push(place.unwrap_or(self.columns.len()));
            if place.is_none() {
                self.columns.push(column.clone());
            }
        }
        places
    }

    /// The union.
    pub fn as_slice(&self) -> &[Column] {
        &self.columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Vec<Column> {
        let column = |name: &&str| Column {
            name: (*name).to_owned(),
            names_objects: *name == "Name",
            wide_only: false,
        };
        names.iter().map(column).collect()
    }

    #[test]
    fn the_union_is_by_name_in_first_seen_order() {
        let mut union = Columns::default();
        assert_eq!(union.add(&columns(&["Name", "Ready", "Age"])), [0, 1, 2]);
        assert_eq!(union.add(&columns(&["Name", "Age", "Phase"])), [0, 2, 3]);
        assert_eq!(
            union.as_slice(),
            columns(&["Name", "Ready", "Age", "Phase"])
        );
    }

    #[test]
    fn equal_names_in_one_table_stay_apart() {
        let mut union = Columns::default();
        assert_eq!(union.add(&columns(&["Name", "X", "X"])), [0, 1, 2]);
        assert_eq!(union.add(&columns(&["X", "X", "X"])), [1, 2, 3]);
    }
}
