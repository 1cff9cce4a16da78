//! The lines of logs as they are printed.

use super::tracker::Id;
use crate::print::{Audience, sanitize, sgr};
use mqtt_informer::informer::log::LogLine;
use regex::Regex;
use serde::Serialize;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Colours of prefixes: letters only, readable on dark and on light.
const COLOURS: [u8; 12] = [36, 33, 32, 35, 34, 31, 96, 93, 92, 95, 94, 91];

/// What stands before a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prefix {
    /// Nothing.
    #[default]
    None,
    /// `[pod/web-0/app] `, as kubectl has it.
    Pod,
    /// `[shop/web-0/app] `
    Namespace,
    /// `[berlin/web-0/app] `
    Cluster,
    /// `[berlin/shop/web-0/app] `
    ClusterAndNamespace,
}

/// How lines are printed.
#[derive(Clone, Debug, Default)]
pub struct LogPrinter {
    /// A JSON object a line.
    pub json: bool,
    /// Before each line.
    pub prefix: Prefix,
    /// The time before each line.
    pub timestamps: bool,
    /// Prefixes have a colour for each pod, and the containers' own colours are kept.
    pub colours: bool,
    /// Who reads it. A program gets the bytes that the container wrote.
    pub audience: Audience,
    /// Only lines that match one of these, if there are any.
    pub include: Vec<Regex>,
    /// No line that matches one of these.
    pub exclude: Vec<Regex>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    cluster: &'a str,
    namespace: &'a str,
    pod_name: &'a str,
    container_name: &'a str,
    node_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

impl LogPrinter {
    /// Writes a line, its end included, unless it is not wanted.
    pub fn line(&self, id: &Id, node: &str, line: &LogLine, out: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(&line.text);
        if !self.wants(&text) {
            return;
        }
        if self.json {
            out.extend_from_slice(self.object(id, node, line, &text).as_bytes());
        } else {
            out.extend_from_slice(self.prefix(id).as_bytes());
            if self.timestamps && !line.stamp.is_empty() {
                out.extend_from_slice(&line.stamp);
                out.push(b' ');
            }
            match (self.audience, self.colours) {
                (Audience::Program, _) => out.extend_from_slice(&line.text),
                (Audience::Terminal, true) => out.extend_from_slice(sgr::line(&text).as_bytes()),
                (Audience::Terminal, false) => {
                    out.extend_from_slice(sanitize::line(&text).as_bytes());
                }
            }
            if line.cut {
                out.extend_from_slice(b" [cut: the line is longer than 1 MiB]");
            }
        }
        out.push(b'\n');
    }

    fn wants(&self, text: &str) -> bool {
        let matches = |regexes: &[Regex]| regexes.iter().any(|regex| regex.is_match(text));
        (self.include.is_empty() || matches(&self.include)) && !matches(&self.exclude)
    }

    fn prefix(&self, id: &Id) -> String {
        let Id {
            cluster,
            namespace,
            pod,
            container,
        } = id;
        let words = match self.prefix {
            Prefix::None => return String::new(),
            Prefix::Pod => format!("[pod/{pod}/{container}]"),
            Prefix::Namespace => format!("[{namespace}/{pod}/{container}]"),
            Prefix::Cluster => format!("[{cluster}/{pod}/{container}]"),
            Prefix::ClusterAndNamespace => format!("[{cluster}/{namespace}/{pod}/{container}]"),
        };
        let words = sanitize::word(&words);
        match self.colours {
            true => format!("\x1b[{}m{words}\x1b[0m ", colour(id)),
            false => format!("{words} "),
        }
    }

    fn object(&self, id: &Id, node: &str, line: &LogLine, text: &str) -> String {
        let stamp = std::str::from_utf8(&line.stamp).ok();
        let object = Object {
            cluster: id.cluster.as_str(),
            namespace: &id.namespace,
            pod_name: &id.pod,
            container_name: &id.container,
            node_name: node,
            time: stamp.filter(|stamp| !stamp.is_empty()),
            message: text,
            truncated: line.cut,
        };
        // Texts always have a JSON form.
        let json = serde_json::to_string(&object).unwrap_or_default();
        match self.audience {
            Audience::Terminal if json.chars().any(sanitize::is_covert) => {
                let escaped = |c: char| match sanitize::is_covert(c) {
                    true => format!("\\u{:04x}", u32::from(c)),
                    false => c.to_string(),
                };
                json.chars().map(escaped).collect()
            }
            _ => json,
        }
    }
}

/// One colour for a pod, whichever of its containers speaks.
fn colour(id: &Id) -> u8 {
    let mut hasher = DefaultHasher::new();
    (&id.cluster, &id.namespace, &id.pod).hash(&mut hasher);
    let number = hasher.finish() % COLOURS.len() as u64;
    COLOURS
        .get(usize::try_from(number).unwrap_or_default())
        .copied()
        .unwrap_or(39)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use mqtt_informer::protocol::names::ClusterName;

    fn printed(printer: &LogPrinter, text: &str) -> String {
        let id = Id {
            cluster: ClusterName::new("berlin").unwrap(),
            namespace: "shop".into(),
            pod: "web-0".into(),
            container: "app".into(),
        };
        let line = LogLine {
            time: None,
            stamp: Bytes::from_static(b"2026-11-25T10:00:00.000000001Z"),
            text: Bytes::copy_from_slice(text.as_bytes()),
            cut: false,
        };
        let mut out = Vec::new();
        printer.line(&id, "n1", &line, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn with(prefix: Prefix) -> LogPrinter {
        LogPrinter {
            prefix,
            ..LogPrinter::default()
        }
    }

    #[test]
    fn what_stands_before_a_line() {
        for (prefix, want) in [
            (Prefix::None, "x\n"),
            (Prefix::Pod, "[pod/web-0/app] x\n"),
            (Prefix::Namespace, "[shop/web-0/app] x\n"),
            (Prefix::Cluster, "[berlin/web-0/app] x\n"),
            (Prefix::ClusterAndNamespace, "[berlin/shop/web-0/app] x\n"),
        ] {
            assert_eq!(printed(&with(prefix), "x"), want);
        }
        let timestamps = LogPrinter {
            timestamps: true,
            ..with(Prefix::Pod)
        };
        let want = "[pod/web-0/app] 2026-11-25T10:00:00.000000001Z x\n";
        assert_eq!(printed(&timestamps, "x"), want);
    }

    #[test]
    fn a_program_gets_the_bytes_and_a_terminal_what_it_can_show() {
        let hostile = "\x1b[31mred\x1b[2J\u{202e}";
        assert_eq!(
            printed(&with(Prefix::None), hostile),
            format!("{hostile}\n")
        );
        let plain = LogPrinter {
            audience: Audience::Terminal,
            ..LogPrinter::default()
        };
        assert_eq!(printed(&plain, hostile), "^[[31mred^[[2J\\u202e\n");
        let coloured = LogPrinter {
            colours: true,
            prefix: Prefix::Pod,
            ..plain
        };
        let shown = printed(&coloured, hostile);
        assert!(
            shown.contains("\x1b[31mred^[[2J\\u202e\x1b[0m\n"),
            "{shown:?}"
        );
        assert!(shown.starts_with("\x1b[") && shown.contains("m[pod/web-0/app]\x1b[0m "));
    }

    #[test]
    fn what_is_wanted() {
        let regex = |text| vec![Regex::new(text).unwrap()];
        let printer = LogPrinter {
            include: regex("error|warn"),
            exclude: regex("noise"),
            ..LogPrinter::default()
        };
        let kept = ["an error", "fine", "warn: noise"].map(|text| printed(&printer, text));
        assert_eq!(kept, ["an error\n", "", ""]);
    }

    #[test]
    fn an_object_a_line() {
        let printer = LogPrinter {
            json: true,
            audience: Audience::Terminal,
            ..LogPrinter::default()
        };
        let want = "{\"cluster\":\"berlin\",\"namespace\":\"shop\",\"podName\":\"web-0\",\"containerName\":\"app\",\
                    \"nodeName\":\"n1\",\"time\":\"2026-11-25T10:00:00.000000001Z\",\"message\":\"a\\u001b\\u202e\"}\n";
        assert_eq!(printed(&printer, "a\x1b\u{202e}"), want);
    }
}
