//! Free ports of 127.0.0.1.
//!
//! Invariant: no port comes from the kernel's range for outgoing connections. A component that is killed and started
//! again must find its port free, and a poll for readiness must not reach itself: both happen with a port that the
//! kernel may give to any client on the machine in the meantime (a connection from an ephemeral port to the same
//! port succeeds, and is a mirror).

use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

/// The lowest port that is tried: above the ports with well-known owners.
const LOWEST: u16 = 10_000;

/// Chooses `count` different free ports, all at once.
///
/// All listeners are held until the last port is found: so the kernel itself says that each is free, and that no two
/// are the same.
///
/// # Errors
/// When the machine has no `count` free ports outside of the ephemeral range.
pub fn choose(count: usize) -> Result<Vec<u16>> {
    let ephemeral = ephemeral_range();
    let candidates: Vec<u16> = (LOWEST..=u16::MAX)
        .filter(|port| !ephemeral.contains(port))
        .collect();
    let held = hold(&candidates, start(candidates.len()), count);
    if held.len() < count {
        bail!(
            "found only {} of {count} free ports outside of the ephemeral range {ephemeral:?}",
            held.len()
        );
    }
    Ok(held.into_iter().map(|(port, _listener)| port).collect())
}

/// Where the search starts: different for beds that start at the same moment, so that they rarely try the same port.
fn start(len: usize) -> usize {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.subsec_nanos());
    let mixed =
        u64::from(nanos / 100).wrapping_add(u64::from(std::process::id()).wrapping_mul(7919));
    usize::try_from(mixed).unwrap_or(0) % len.max(1)
}

/// Binds the first `count` candidates, from `start` round, that the kernel lets us bind.
fn hold(candidates: &[u16], start: usize, count: usize) -> Vec<(u16, TcpListener)> {
    let (before, after) = candidates.split_at(start.min(candidates.len()));
    after
        .iter()
        .chain(before)
        .filter_map(|&port| Some((port, TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?)))
        .take(count)
        .collect()
}

/// The kernel's range for outgoing connections; its default where `/proc` does not say.
fn ephemeral_range() -> RangeInclusive<u16> {
    let text =
        std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(low), Some(high)) => low..=high,
        _ => 32_768..=60_999,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_ports_differ_are_free_and_are_never_ephemeral() {
        let ports = choose(40).unwrap();
        let mut unique = ports.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), 40);
        assert!(
            ports.iter().all(|port| !ephemeral_range().contains(port)),
            "{ports:?}"
        );
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let (taken, listener) = hold(&(LOWEST..30_000).collect::<Vec<_>>(), 77, 1).remove(0);
        let next = hold(&[taken, taken + 1, taken + 2, taken + 3], 0, 1);
        assert!(next.iter().all(|(port, _)| *port != taken));
        drop(listener);
        assert_eq!(hold(&[taken], 0, 1).len(), 1);
    }

    #[test]
    fn the_search_goes_round_the_end() {
        let candidates: Vec<u16> = hold(&(LOWEST..30_000).collect::<Vec<_>>(), 500, 3)
            .iter()
            .map(|held| held.0)
            .collect();
        assert_eq!(hold(&candidates, 2, 3).len(), 3);
    }
}
