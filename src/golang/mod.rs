//! Values as Go prints them: what kubectl and its libraries say of an object is `fmt`'s, `strconv`'s or
//! `encoding/json`'s word, not Rust's.
//!
//! | module | what it is |
//! |---|---|
//! | [`number`] | numbers, as JSON, as YAML and in text |
//! | [`verbs`] | `%v`, `%#v` and `%q` |
//! | [`unicode`] | classes of characters |
//!
//! **Architecture invariant:** pure.

pub mod number;
pub mod unicode;
pub mod verbs;
