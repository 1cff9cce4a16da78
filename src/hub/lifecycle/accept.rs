//! Who is let in without being asked for: `--auto-accept PATTERN`.

/// Patterns of clusters' names; `*` is any text, `?` any character.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns(Vec<String>);

impl Patterns {
    /// These; an empty one matches nothing.
    pub fn new(patterns: impl IntoIterator<Item = String>) -> Self {
        Self(patterns.into_iter().collect())
    }

    /// Whether one of them matches.
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|it| matches(it, name))
    }
}

/// Without recursion: after a `*` that led nowhere, it takes one character more.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(n) => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, taken)) = star else {
                    return false;
                };
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|it| *it == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name, want) in [
            ("*", "anything", true),
            ("*", "", true),
            ("", "a", false),
            ("prod-*", "prod-1", true),
            ("prod-*", "preprod-1", false),
            ("*-prod", "a-prod-prod", true),
            ("c?", "c1", true),
            ("c?", "c", false),
            ("a*b*c", "aXbYbc", true),
            ("a*b*c", "aXbY", false),
            ("c.1", "cx1", false),
        ] {
            let patterns = Patterns::new([pattern.to_owned()]);
            assert_eq!(patterns.matches(name), want, "{pattern} {name}");
        }
        assert!(!Patterns::default().matches("a"));
    }
}
