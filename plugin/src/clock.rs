//! This machine's clock, for what the pure parts are told of the time.

use std::time::{SystemTime, UNIX_EPOCH};

/// ms since 1970.
pub(crate) fn wall_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
