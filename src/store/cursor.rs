//! Cursors as text: whoever gets one gives it back, and may have changed it.

use super::error::Error;
use super::stored::Cursor;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::str::FromStr;

/// The longest that is read, in bytes.
const MAX_CURSOR: usize = 8 * 1024;

type Parts = (u64, Option<serde_json::Value>, String, String, String, u64);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = (
            self.at,
            &self.order,
            &self.cluster,
            &self.namespace,
            &self.name,
            self.seq,
        );
        let json = serde_json::to_vec(&parts).map_err(|_| fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}

impl FromStr for Cursor {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let read = || {
            let short = (text.len() <= MAX_CURSOR).then_some(text)?;
            let json = URL_SAFE_NO_PAD.decode(short).ok()?;
            let parts: Parts = serde_json::from_slice(&json).ok()?;
            let (at, order, cluster, namespace, name, seq) = parts;
            let clean = [&cluster, &namespace, &name]
                .iter()
                .all(|text| !text.contains('\0'));
            (clean && i64::try_from(at).is_ok() && i64::try_from(seq).is_ok()).then_some(Self {
                at,
                order,
                cluster,
                namespace,
                name,
                seq,
            })
        };
        read().ok_or_else(|| Error::Invalid("this cursor was not given out by this store".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back_and_anything_else_is_refused(
            at in 0..i64::MAX as u64, name in "[^\0]{0,20}", hostile in ".{0,40}"
        ) {
            let cursor = Cursor {
                at, order: Some(serde_json::json!(1.5)), cluster: "c".into(), namespace: "n'; --".into(), name, seq: 3,
            };
            prop_assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
            prop_assert!(hostile.parse::<Cursor>().is_err());
        }
    }
}
