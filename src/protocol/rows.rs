//! The values of the view `rows`: what `rows.proto` describes.
//!
//! ```
//! use mqtt_informer::protocol::rows::{Cell, Part, Row, part};
//! use prost::Message;
//!
//! let name = Part { part: Some(part::Part::Text("web".into())) };
//! let row = Row { cells: vec![Cell { parts: vec![name] }], metadata: b"{}".as_slice().into() };
//! assert_eq!(Row::decode(row.encode_to_vec().as_slice()), Ok(row));
//! ```

pub use super::wire::{Cell, Column, Header, Part, Row, part};
