//! The plugin's share of what `bench guards` counts; the library's lies beside its code.

use kubectl_mqinformer::print::table::{Rows, TableOptions, TablePrinter};
use kubectl_mqinformer::table::{Column, Row};
use mqtt_informer::protocol::rows::{Cell, Part, part};
use prost::Message;
use std::hint::black_box;

/// Runs what is guarded. Its name is what callgrind looks for.
#[inline(never)]
fn guarded_section<T>(run: impl FnOnce() -> T) -> T {
    black_box(run())
}

/// A value of the view `rows`.
fn value(number: usize) -> bytes::Bytes {
    let cell = |part| Cell {
        parts: vec![Part { part: Some(part) }],
    };
    let text = |text: String| cell(part::Part::Text(text));
    let row = mqtt_informer::protocol::rows::Row {
        cells: vec![
            text(format!("checkout-{number:05x}")),
            text("1/1".into()),
            text("Running".into()),
            cell(part::Part::Integer(3)),
            cell(part::Part::SinceMs(number as i64 * 1000)),
        ],
        metadata: format!(r#"{{"name":"checkout-{number:05x}","namespace":"shop","labels":{{"app":"checkout"}},"uid":"u-{number}"}}"#).into(),
    };
    row.encode_to_vec().into()
}

fn decoded(values: &[bytes::Bytes]) -> Vec<Row> {
    values
        .iter()
        .map(|value| Row::from_value(value).unwrap())
        .collect()
}

mod guards {
    use super::*;

    #[test]
    fn row_decoding_of_500_pods() {
        let values: Vec<_> = (0..500).map(value).collect();
        assert_eq!(guarded_section(|| decoded(&values)).len(), 500);
    }

    #[test]
    fn table_layout_of_10_000_rows() {
        let rows = decoded(&(0..10_000).map(value).collect::<Vec<_>>());
        let columns = ["Name", "Ready", "Status", "Restarts", "Age"].map(|name| Column {
            name: name.to_owned(),
            names_objects: name == "Name",
            wide_only: false,
        });
        let table = Rows {
            cluster: "berlin",
            now_ms: 1_732_701_600_000,
            columns: &columns,
            rows: &rows,
            event: "",
        };
        let mut printer = TablePrinter::new(TableOptions::default());
        let text = guarded_section(|| printer.print(&[table]));
        assert_eq!(text.lines().count(), 10_001);
    }
}
