//! Rows in the order of a column.

use super::block::{Block, Place};
use super::member::Change;
use crate::filter::Looked;
use crate::filter::compare::Cell;
use crate::filter::sort_column::SortColumn;
use crate::table::{Resource, Row};
use bytes::Bytes;
use mqtt_informer::protocol::names::ClusterName;

/// The places of a block's rows, sorted; `index` is the block's own. Those that cannot be read are left out: whoever
/// prints them tells it.
pub(super) fn order(column: &SortColumn, (index, block): (usize, &Block)) -> Vec<Place> {
    let mut rows = Vec::new();
    for (at, (cluster, answer)) in block.answers.iter().enumerate() {
        let of = (&answer.resource, cluster, answer.now_ms);
        for (number, value) in answer.values.iter().enumerate() {
            rows.extend(cell(column, value, of).map(|cell| (cell, (index, at, number))));
        }
    }
    column.sort(&mut rows);
    rows.into_iter().map(|(_, place)| place).collect()
}

/// Puts what changed at one moment in order: by what each is now, or was.
pub(super) fn changes(
    column: &SortColumn,
    changes: &mut Vec<Change>,
    of: (&Resource, &ClusterName, i64),
) {
    let read = std::mem::take(changes).into_iter().map(|change| {
        let (_, (old, new)) = &change;
        let value = new.as_ref().or(old.as_ref());
        let cell = value.and_then(|value| cell(column, value, of));
        (cell.unwrap_or_default(), change)
    });
    let mut rows: Vec<_> = read.collect();
    column.sort(&mut rows);
    changes.extend(rows.into_iter().map(|(_, change)| change));
}

fn cell(
    column: &SortColumn,
    value: &Bytes,
    (resource, cluster, now_ms): (&Resource, &ClusterName, i64),
) -> Option<Cell> {
    let row = Row::from_value(value).ok()?;
    let looked = Looked {
        cluster: cluster.as_str(),
        now_ms,
        row: &row,
    };
    Some(column.cell(&resource.columns, looked))
}
