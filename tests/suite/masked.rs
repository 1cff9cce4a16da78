//! Text whose time cells are covered: what is left must be equal byte for byte.

/// A text in which each character of a duration as Kubernetes prints it (`5m`, `2d3h`) is a `#`.
#[derive(PartialEq, Eq)]
pub(crate) struct Masked(String);

impl Masked {
    pub(crate) fn of(text: &str) -> Self {
        let mut out = String::with_capacity(text.len());
        for word in words(text) {
            match seconds(word) {
                Some(_) => out.extend(std::iter::repeat_n('#', word.len())),
                None => out.push_str(word),
            }
        }
        Self(out)
    }
}

/// Each time cell of `ours` lies between those of `before` and `after`, give or take what clocks and transit make of
/// it.
pub(crate) fn interval_holds(before: &str, ours: &str, after: &str) -> Result<(), String> {
    let times = |text: &str| words(text).filter_map(seconds).collect::<Vec<_>>();
    let (before, ours, after) = (times(before), times(ours), times(after));
    for ((low, our), high) in before.iter().zip(&ours).zip(&after) {
        let slack = granularity(*our) + 2;
        if our + slack < *low || *our > high + slack {
            return Err(format!(
                "a time of {our} s is not between {low} s and {high} s"
            ));
        }
    }
    Ok(())
}

/// Words and what is between them, such that all together are the text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let inside = is_word(first);
        let end = rest.find(|c| is_word(c) != inside).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        rest = tail;
        Some(word)
    })
}

/// The seconds of a duration such as `2d3h`.
fn seconds(word: &str) -> Option<u64> {
    let (mut total, mut number) = (0, None);
    for c in word.chars() {
        match (c.to_digit(10), number) {
            (Some(digit), _) => number = Some(number.unwrap_or(0) * 10 + u64::from(digit)),
            (None, Some(count)) => {
                let unit = match c {
                    's' => 1,
                    'm' => 60,
                    'h' => 3600,
                    'd' => 86_400,
                    'y' => 31_536_000,
                    _ => return None,
                };
                total += count * unit;
                number = None;
            }
            (None, None) => return None,
        }
    }
    (number.is_none() && !word.is_empty()).then_some(total)
}

/// How much a printed duration may hide.
fn granularity(seconds: u64) -> u64 {
    match seconds {
        0..600 => 1,
        600..28_800 => 60,
        28_800..691_200 => 3600,
        _ => 86_400,
    }
}

#[test]
fn a_mask_covers_times_and_nothing_else() {
    assert!(Masked::of("web 1/1 5m ago 3s") == Masked::of("web 1/1 6m ago 4s"));
    assert!(Masked::of("web 1/1 5m") != Masked::of("web 1/2 5m"));
    assert!(Masked::of("web 5m") != Masked::of("web 15m"));
    assert!(interval_holds("5s", "6s", "7s").is_ok());
    assert!(interval_holds("5s", "20s", "7s").is_err());
}
