//! The order of a mapping's keys: letters by code, digits as numbers, `a2` before `a10`.
//!
//! `keyList.Less` of `go.yaml.in/yaml/v2` (sorter.go).

use crate::print::unicode::{is_digit, is_letter};
use std::cmp::Ordering;

/// Sorts keys as go-yaml does.
///
/// Its comparison is no total order for all text (leading zeros, digits of other scripts), and the standard library's
/// sorts may panic on such; this one does not. Where the order is not total, Go's own result depends on chance.
pub(super) fn sort<T>(items: &mut Vec<(Vec<char>, T)>) {
    if items.len() < 2 {
        return;
    }
    let mut right = items.split_off(items.len() / 2);
    sort(items);
    sort(&mut right);
    let left = std::mem::take(items);
    items.reserve(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(l), Some(r)) = (left.peek(), right.peek()) {
        let next = if less(&r.0, &l.0) {
            right.next()
        } else {
            left.next()
        };
        items.extend(next);
    }
    items.extend(left);
    items.extend(right);
}

fn less(a: &[char], b: &[char]) -> bool {
    let Some(at) = a.iter().zip(b).position(|(x, y)| x != y) else {
        return a.len() < b.len();
    };
    let (x, y) = (a[at], b[at]);
    match (is_letter(x), is_letter(y)) {
        (true, true) => return x < y,
        (false, false) => {}
        (_, y_is_letter) => return y_is_letter,
    }
    // Digits before a zero make it a zero within a number, not one that leads.
    let within = (x == '0' || y == '0')
        && a[..at]
            .iter()
            .rev()
            .take_while(|c| is_digit(**c))
            .any(|c| *c != '0');
    let start = i64::from(within);
    let (x_number, x_end) = number(a, at, start);
    let (y_number, y_end) = number(b, at, start);
    match x_number.cmp(&y_number).then(x_end.cmp(&y_end)) {
        Ordering::Equal => x < y,
        order => order == Ordering::Less,
    }
}

/// The number that begins at `at`, and where it ends. It wraps as Go's does.
fn number(text: &[char], at: usize, start: i64) -> (i64, usize) {
    let mut value = start;
    let mut end = at;
    while let Some(c) = text.get(end).filter(|c| is_digit(**c)) {
        let digit = i64::from(u32::from(*c)) - i64::from(u32::from('0'));
        value = value.wrapping_mul(10).wrapping_add(digit);
        end += 1;
    }
    (value, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(keys: &[&str]) -> Vec<String> {
        let mut items: Vec<_> = keys.iter().map(|key| (key.chars().collect(), ())).collect();
        sort(&mut items);
        items
            .into_iter()
            .map(|(key, ())| key.into_iter().collect())
            .collect()
    }

    #[test]
    fn numbers_count_as_numbers() {
        let want = [
            "", "_a", "1", "2", "3", "3.1", "10", "a", "a2", "a10", "b", "b01", "b3",
        ];
        let mut keys = want;
        keys.reverse();
        assert_eq!(sorted(&keys), want);
    }

    proptest! {
        #[test]
        fn any_keys_are_kept_and_never_panic(keys in prop::collection::vec("[0-9a.٣Ⅷ_]{0,4}", 0..200)) {
            let words: Vec<&str> = keys.iter().map(String::as_str).collect();
            let mut got = sorted(&words);
            let mut want = keys.clone();
            got.sort();
            want.sort();
            prop_assert_eq!(got, want);
        }
    }
}
