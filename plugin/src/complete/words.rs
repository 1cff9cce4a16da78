//! Which word is wanted, and what was said before it.

use crate::settings::order::takes_next;
use clap::{Arg, Command};

/// What is wanted under the cursor.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// A verb of the command, or its first word.
    Verb,
    /// A flag.
    Flag,
    /// The value of this flag.
    Value(Box<Arg>),
    /// A word that is no flag, so many of which stand before it.
    Word(usize),
}

/// A command line as far as it was typed.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The innermost command, as clap describes it.
    pub command: Command,
    /// The verbs that lead to it: `get`, `config view`.
    pub verbs: Vec<String>,
    /// Its words that are no flags.
    pub words: Vec<String>,
    /// Flags that were given: their long names, and their values.
    pub flags: Vec<(String, Option<String>)>,
    /// What is wanted.
    pub wanted: Wanted,
    /// As much of it as is typed.
    pub part: String,
}

impl Typed {
    /// Reads the words behind the program's name, the one under the cursor last.
    pub fn read(mut command: Command, words: &[String]) -> Self {
        command.build();
        let (part, before) = match words.split_last() {
            Some((part, before)) => (part.clone(), before),
            None => (String::new(), &[][..]),
        };
        let mut typed = Self {
            command,
            verbs: Vec::new(),
            words: Vec::new(),
            flags: Vec::new(),
            wanted: Wanted::Verb,
            part,
        };
        let mut awaited = None;
        let mut words_only = false;
        for word in before {
            if let Some(arg) = awaited.take() {
                typed.note(&arg, Some(word.clone()));
            } else if words_only || !word.starts_with('-') || word == "-" {
                typed.word(word);
            } else if word == "--" {
                words_only = true;
            } else {
                awaited = typed.flag(word);
            }
        }
        typed.want(awaited, words_only);
        typed
    }

    /// The last value that a flag was given.
    pub fn value(&self, long: &str) -> Option<&str> {
        let given = self.flags.iter().rev().find(|(name, _)| name == long);
        given.and_then(|(_, value)| value.as_deref())
    }

    /// Whether a flag was given.
    pub fn has(&self, long: &str) -> bool {
        self.flags.iter().any(|(name, _)| name == long)
    }

    fn word(&mut self, word: &str) {
        if self.words.is_empty()
            && let Some(verb) = self.command.find_subcommand(word)
        {
            self.verbs.push(verb.get_name().to_owned());
            self.command = verb.clone();
        } else {
            self.words.push(word.to_owned());
        }
    }

    /// Notes a flag, or several short ones; the one whose value is the next word, if there is one.
    fn flag(&mut self, word: &str) -> Option<Arg> {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let arg = self.long(name)?;
            if value.is_none() && takes_next(&arg) {
                return Some(arg);
            }
            self.note(&arg, value);
            return None;
        }
        let mut letters = word.trim_start_matches('-').chars();
        while let Some(letter) = letters.next() {
            let arg = self.short(letter)?;
            let rest = letters.as_str().trim_start_matches('=').to_owned();
            match (takes_next(&arg), rest.is_empty()) {
                (false, _) => self.note(&arg, None),
                (true, true) => return Some(arg),
                (true, false) => {
                    self.note(&arg, Some(rest));
                    return None;
                }
            }
        }
        None
    }

    fn want(&mut self, awaited: Option<Arg>, words_only: bool) {
        if let Some(arg) = awaited {
            self.wanted = Wanted::Value(Box::new(arg));
            return;
        }
        if !words_only && self.part.starts_with('-') {
            let with_value = self
                .part
                .strip_prefix("--")
                .and_then(|it| it.split_once('='));
            if let Some((name, value)) = with_value {
                let (arg, value) = (self.long(name), value.to_owned());
                if let Some(arg) = arg {
                    self.part = value;
                    self.wanted = Wanted::Value(Box::new(arg));
                    return;
                }
            }
            self.wanted = Wanted::Flag;
            return;
        }
        let is_verb = self.command.has_subcommands() && self.words.is_empty();
        self.wanted = match is_verb {
            true => Wanted::Verb,
            false => Wanted::Word(self.words.len()),
        };
    }

    fn note(&mut self, arg: &Arg, value: Option<String>) {
        let name = arg.get_long().unwrap_or(arg.get_id().as_str());
        self.flags.push((name.to_owned(), value));
    }

    fn long(&self, name: &str) -> Option<Arg> {
        let mut args = self.command.get_arguments();
        args.find(|arg| arg.get_long() == Some(name)).cloned()
    }

    fn short(&self, letter: char) -> Option<Arg> {
        let mut args = self.command.get_arguments();
        args.find(|arg| arg.get_short() == Some(letter)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory;

    fn typed(line: &str) -> Typed {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Typed::read(Cli::command(), &words)
    }

    fn wanted(line: &str) -> String {
        let typed = typed(line);
        let wanted = match &typed.wanted {
            Wanted::Verb => "verb".to_owned(),
            Wanted::Flag => "flag".to_owned(),
            Wanted::Value(arg) => format!("value of {}", arg.get_id()),
            Wanted::Word(number) => format!("word {number}"),
        };
        format!("{} {wanted} {:?}", typed.verbs.join(" "), typed.part)
    }

    #[test]
    fn what_is_under_the_cursor() {
        for (line, want) in [
            ("", " verb \"\""),
            ("ge", " verb \"ge\""),
            ("--broker tcp://h ge", " verb \"ge\""),
            ("get ", "get word 0 \"\""),
            ("get pods we", "get word 1 \"we\""),
            ("get pods -", "get flag \"-\""),
            ("get pods --clus", "get flag \"--clus\""),
            ("get pods --cluster ", "get value of cluster \"\""),
            ("get pods --cluster=a,b", "get value of cluster \"a,b\""),
            ("get pods -n ", "get value of namespace \"\""),
            ("get pods -An ", "get value of namespace \"\""),
            ("get pods -nshop we", "get word 1 \"we\""),
            ("get pods -w we", "get word 1 \"we\""),
            ("get -- -x", "get word 0 \"-x\""),
            ("config vi", "config verb \"vi\""),
            ("logs web --prefix x", "logs word 1 \"x\""),
            ("nosuch ", " word 1 \"\""),
        ] {
            assert_eq!(wanted(line), want, "{line}");
        }
    }

    #[test]
    fn what_was_said_before() {
        let typed = typed("get pods --cluster a -n shop -A --cluster=b web ");
        assert_eq!(typed.value("cluster"), Some("b"));
        assert_eq!(typed.value("namespace"), Some("shop"));
        assert!(typed.has("all-namespaces") && !typed.has("watch"));
        assert_eq!(typed.words, ["pods", "web"]);
    }
}
