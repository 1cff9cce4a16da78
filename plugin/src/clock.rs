//! This machine's clock, for what the pure parts are told of the time.

use std::time::{SystemTime, UNIX_EPOCH};

/// ms since 1970.
pub(crate) fn wall_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// By how much an API server's clock, as it is now, is ahead of this machine's, in ms. It is known to the second: a
/// difference below two says nothing.
pub(crate) fn ahead_ms(server_now_ms: Option<u64>) -> i64 {
    let server = server_now_ms.and_then(|ms| i64::try_from(ms).ok());
    let ahead = server.map_or(0, |server| server.saturating_sub(wall_ms()));
    if ahead.unsigned_abs() < 2_000 {
        0
    } else {
        ahead
    }
}
