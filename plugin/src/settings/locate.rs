//! Which configuration file, and what paths in it mean.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A configuration file that may be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Where.
    pub path: PathBuf,
    /// Somebody named it: then it has to be there.
    pub named: bool,
}

/// The file: `--config`, else `MQINFORMER_CONFIG`, else where XDG has it. None without a home.
pub fn file(
    words: &[OsString],
    environment: &impl Fn(&str) -> Option<OsString>,
) -> Option<Located> {
    if let Some(path) = word(words, "config").or_else(|| environment("MQINFORMER_CONFIG")) {
        return Some(Located {
            path: path.into(),
            named: true,
        });
    }
    Some(Located {
        path: folder("XDG_CONFIG_HOME", ".config", environment)?.join("config.yaml"),
        named: false,
    })
}

/// The folder of what is kept between two commands. None without a home.
pub fn cache(environment: &impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    folder("XDG_CACHE_HOME", ".cache", environment)
}

/// This program's folder, where XDG has it.
fn folder(
    variable: &str,
    in_home: &str,
    environment: &impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let absolute = |name| {
        environment(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    // A relative one is to be ignored, says the XDG specification.
    let folder = absolute(variable).or_else(|| Some(absolute("HOME")?.join(in_home)))?;
    Some(folder.join("mqinformer"))
}

/// The value of a flag, found before the command line can be read: what it says decides how that is read.
pub fn word(words: &[OsString], flag: &str) -> Option<OsString> {
    let flag = format!("--{flag}");
    let mut words = words.iter().skip(1).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if *word == *flag {
            return words.next().cloned();
        }
        let bytes = word.as_bytes();
        if let Some(value) = bytes
            .strip_prefix(flag.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="))
        {
            return Some(OsStr::from_bytes(value).to_owned());
        }
    }
    None
}

/// A path of the file: `~/` is the home, and what is relative is so to the file, as in a kubeconfig.
pub(super) fn from_file(path: &str, folder: &Path, home: Option<&Path>) -> String {
    let full = match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => folder.join(path),
    };
    full.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(words: &[&str], environment: &[(&str, &str)]) -> Option<(String, bool)> {
        let words: Vec<_> = words.iter().map(OsString::from).collect();
        let look_up = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsStr::new(value).to_owned())
        };
        file(&words, &look_up).map(|found| (found.path.display().to_string(), found.named))
    }

    #[test]
    fn the_nearest_word_names_the_file() {
        let environment = [
            ("MQINFORMER_CONFIG", "/env"),
            ("XDG_CONFIG_HOME", "/xdg"),
            ("HOME", "/home/me"),
        ];
        let named = |path: &str| Some((path.to_owned(), true));
        let default = |path: &str| Some((path.to_owned(), false));
        assert_eq!(
            located(&["x", "get", "--config", "/flag"], &environment),
            named("/flag")
        );
        assert_eq!(
            located(&["x", "--config=/flag", "get"], &environment),
            named("/flag")
        );
        assert_eq!(
            located(&["x", "demo", "--", "--config=/no"], &environment),
            named("/env")
        );
        assert_eq!(
            located(&["x"], &environment[1..]),
            default("/xdg/mqinformer/config.yaml")
        );
        assert_eq!(
            located(&["x"], &environment[2..]),
            default("/home/me/.config/mqinformer/config.yaml")
        );
        assert_eq!(located(&["x"], &[("XDG_CONFIG_HOME", "relative")]), None);
    }

    #[test]
    fn paths_in_the_file() {
        let of = |path| from_file(path, Path::new("/etc/mq"), Some(Path::new("/home/me")));
        assert_eq!(
            [of("~/a"), of("b"), of("/c")],
            ["/home/me/a", "/etc/mq/b", "/c"]
        );
    }
}
