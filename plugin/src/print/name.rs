//! `-o name`: `pod/web`, `deployment.apps/web`.

use super::sanitize;

/// One line for one object.
pub fn line(kind: &str, group: &str, name: &str) -> String {
    let kind = kind.to_lowercase();
    let name = if name.is_empty() { "<unknown>" } else { name };
    let resource = if group.is_empty() {
        kind
    } else {
        format!("{kind}.{group}")
    };
    format!("{}/{}\n", sanitize::word(&resource), sanitize::word(name))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn the_group_is_named_unless_it_is_the_core_one() {
        assert_eq!(line("Pod", "", "web"), "pod/web\n");
        assert_eq!(line("Deployment", "apps", "web"), "deployment.apps/web\n");
        assert_eq!(line("Pod", "", "a\x1b[2J"), "pod/a^[[2J\n");
    }
}
