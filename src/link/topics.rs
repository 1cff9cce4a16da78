//! Topic names and topic filters (MQTT 5, section 4.7).

/// Whether `topic` may be published to: not empty, at most 65,535 bytes, no wildcard, no NUL.
pub(super) fn is_topic(topic: &str) -> bool {
    is_string(topic) && !topic.contains(['+', '#'])
}

/// Whether `filter` may be subscribed to: `+` is a whole level, `#` a whole level and the last one.
pub(super) fn is_filter(filter: &str) -> bool {
    let mut levels = filter.split('/').rev();
    let last = levels.next().unwrap_or_default();
    is_string(filter) && (last == "#" || is_level(last)) && levels.all(is_level)
}

/// Whether a message on `topic` goes to a subscriber of `filter`. Both are valid.
pub(super) fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false; // section 4.7.2: the broker's own topics are not for wildcards
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true, // "a/#" is for "a" too
            ("+", Some(_)) => {}
            (_, Some(level)) if level == wanted => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

fn is_string(text: &str) -> bool {
    !text.is_empty() && text.len() <= usize::from(u16::MAX) && !text.contains('\0')
}

fn is_level(level: &str) -> bool {
    level == "+" || !level.contains(['+', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_the_standard_says() {
        for (filter, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/b/c", "a/b", false),
            ("a/+", "a/b", true),
            ("a/+", "a", false),
            ("a/+", "a/b/c", false),
            ("a/+", "a/", true),
            ("+/+", "/a", true),
            ("+", "/a", false),
            ("/+", "/a", true),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("a/+/c/#", "a/b/c", true),
            ("a/+/c/#", "a/b/d", false),
            ("#", "a/b", true),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        }
    }

    #[test]
    fn wildcards_are_whole_levels() {
        for filter in ["#", "+", "a/+/b", "a/#", "/", "a//b", "+/+/#"] {
            assert!(is_filter(filter), "{filter}");
        }
        for filter in ["", "a#", "a/#/b", "+a", "a/b+", "a\0b"] {
            assert!(!is_filter(filter), "{filter}");
        }
    }

    #[test]
    fn topics_have_no_wildcards() {
        assert!(is_topic("/payload/c/live"));
        for topic in ["", "a/+", "a/#", "a\0", &"x".repeat(65_536)] {
            assert!(!is_topic(topic));
        }
    }
}
