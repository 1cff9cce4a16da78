//! The words of `-o`, as kubectl reads them (get_flags.go, and cli-runtime's print flags).

use super::plan::Form;
use crate::print::columns::{self, Columns};
use crate::print::jsonpath::{SyntaxError, Template};
use crate::print::objects::Format;
use crate::print::sanitize;
use std::sync::Arc;

/// What `-o` and the flags beside it say.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// The word of `-o`, if there is one.
    pub word: Option<&'a str>,
    /// `--template`: what would stand behind the `=` of the word.
    pub template: Option<&'a str>,
    /// Custom columns have no headers.
    pub no_headers: bool,
    /// What a JSONPath does not find is no error.
    pub allow_missing_keys: bool,
}

/// Why no output can be made of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOutput {
    /// There is no such form.
    #[error(
        "unable to match a printer suitable for the output format {0:?}, allowed formats are: \
         custom-columns,custom-columns-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,wide,yaml"
    )]
    Unknown(String),
    /// Go's templates are a language of their own.
    #[error(
        "-o {0} is not supported: use -o jsonpath='{{.metadata.name}}', which has ranges and filters too"
    )]
    GoTemplate(String),
    /// `-o jsonpath` with nothing behind it.
    #[error("template format specified but no template given")]
    NoTemplate,
    /// A file that cannot be read.
    #[error("{0}")]
    File(String),
    /// A mistake in a template or a list of columns.
    #[error(transparent)]
    Syntax(#[from] Mistake),
}

/// A mistake in something that was typed, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Mistake {
    /// In kubectl's words.
    pub message: String,
    /// What was typed.
    pub text: String,
    /// The byte of it where the mistake is.
    pub at: usize,
}

impl Mistake {
    /// The mistake of a text that was read.
    pub fn of(error: SyntaxError, text: &str) -> Self {
        Self {
            message: error.message,
            text: text.to_owned(),
            at: error.at,
        }
    }

    /// What was typed, and a mark under the mistake: two lines, of which the first is the line that has it.
    pub fn pointer(&self) -> [String; 2] {
        let at = (0..=self.at.min(self.text.len()))
            .rev()
            .find(|at| self.text.is_char_boundary(*at))
            .unwrap_or(0);
        let (before, after) = self.text.split_at(at);
        let before = before.rsplit('\n').next().unwrap_or_default();
        let after = after.split('\n').next().unwrap_or_default();
        let (before, after) = (sanitize::word(before), sanitize::word(after));
        let blank = " ".repeat(before.chars().count());
        [format!("  {before}{after}"), format!("  {blank}^")]
    }
}

/// What would be printed. `read` reads a file.
///
/// # Errors
/// As kubectl words them.
pub fn form(
    output: &Output<'_>,
    read: impl Fn(&str) -> Result<String, String>,
) -> Result<Form, InvalidOutput> {
    let Some(word) = output.word.filter(|word| !word.is_empty()) else {
        return match output.template.filter(|template| !template.is_empty()) {
            // kubectl takes it for a Go template.
            Some(_) => Err(InvalidOutput::GoTemplate("go-template".to_owned())),
            None => Ok(Form::Table),
        };
    };
    let (name, argument) = match word.split_once('=') {
        Some((name, argument)) => (name, argument),
        None => (word, output.template.unwrap_or_default()),
    };
    let json_path = |argument: &str| -> Result<Arc<Template>, InvalidOutput> {
        let template = Template::parse(argument).map_err(|error| {
            let message = format!("error parsing jsonpath {argument}, {error}");
            Mistake {
                message,
                ..Mistake::of(error, argument)
            }
        })?;
        Ok(Arc::new(
            template.with_missing_keys(output.allow_missing_keys),
        ))
    };
    let format = match name {
        "jsonpath" | "jsonpath-file" | "jsonpath-as-json" if argument.is_empty() => {
            return Err(InvalidOutput::NoTemplate);
        }
        "jsonpath" => Format::JsonPath(json_path(argument)?),
        "jsonpath-as-json" => Format::JsonPathAsJson(json_path(argument)?),
        "jsonpath-file" => {
            let text = read(argument);
            let why =
                |why| InvalidOutput::File(format!("error reading --template {argument}, {why}"));
            Format::JsonPath(json_path(&text.map_err(why)?)?)
        }
        "custom-columns" | "custom-columns-file" if argument.is_empty() => {
            return Err(Mistake::of(columns::nothing_given(), word).into());
        }
        "custom-columns" => {
            let columns = Columns::parse(argument, !output.no_headers);
            let columns = columns.map_err(|error| Mistake::of(error, argument))?;
            Format::Columns(Arc::new(columns))
        }
        "custom-columns-file" => {
            let text = read(argument);
            let why =
                |why| InvalidOutput::File(format!("error reading template {argument}, {why}"));
            let text = text.map_err(why)?;
            let columns = Columns::parse_file(&text).map_err(|error| Mistake::of(error, &text))?;
            Format::Columns(Arc::new(columns))
        }
        "go-template" | "go-template-file" | "template" | "templatefile" => {
            return Err(InvalidOutput::GoTemplate(name.to_owned()));
        }
        _ => return plain(word),
    };
    Ok(Form::Objects(format))
}

fn plain(word: &str) -> Result<Form, InvalidOutput> {
    Ok(match word.to_lowercase().as_str() {
        "json" => Form::Objects(Format::Json),
        "yaml" => Form::Objects(Format::Yaml),
        "kyaml" => Form::Objects(Format::Kyaml),
        "name" => Form::Name,
        _ if word == "wide" => Form::Wide,
        _ => return Err(InvalidOutput::Unknown(word.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(word: &str, template: Option<&str>) -> Result<Form, InvalidOutput> {
        let output = Output {
            word: Some(word),
            template,
            no_headers: false,
            allow_missing_keys: true,
        };
        form(&output, |path| match path {
            "good" => Ok("{.metadata.name}".to_owned()),
            "columns" => Ok("NAME\nmetadata.name\n".to_owned()),
            path => Err(format!("open {path}: no such file or directory")),
        })
    }

    #[test]
    fn forms_as_kubectl_knows_them() {
        assert_eq!(of("", None), Ok(Form::Table));
        assert_eq!(of("wide", None), Ok(Form::Wide));
        assert_eq!(of("JSON", None), Ok(Form::Objects(Format::Json)));
        assert_eq!(of("kyaml", None), Ok(Form::Objects(Format::Kyaml)));
        assert_eq!(of("name", None), Ok(Form::Name));
        let path = of("jsonpath={.metadata.name}", None);
        assert!(matches!(&path, Ok(Form::Objects(Format::JsonPath(_)))));
        assert_eq!(of("jsonpath-file=good", None), path);
        assert_eq!(of("jsonpath", Some("{.metadata.name}")), path);
        let columns = of("custom-columns=NAME:metadata.name", None);
        assert_eq!(of("custom-columns-file=columns", None), columns);
    }

    #[test]
    fn what_is_refused() {
        for (word, why) in [
            (
                "Wide",
                "unable to match a printer suitable for the output format \"Wide\"",
            ),
            ("go-template={{.x}}", "use -o jsonpath="),
            ("templatefile", "use -o jsonpath="),
            (
                "jsonpath",
                "template format specified but no template given",
            ),
            (
                "jsonpath=",
                "template format specified but no template given",
            ),
            (
                "jsonpath={.a",
                "error parsing jsonpath {.a, unclosed action",
            ),
            (
                "jsonpath-file=x",
                "error reading --template x, open x: no such file or directory",
            ),
            (
                "custom-columns-file=x",
                "error reading template x, open x: no such file or directory",
            ),
            (
                "custom-columns",
                "custom-columns format specified but no custom columns given",
            ),
        ] {
            let error = of(word, None).unwrap_err().to_string();
            assert!(error.contains(why), "{word}: {error}");
        }
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        let Err(InvalidOutput::Syntax(mistake)) = of("jsonpath=x\n{.é[y]}", None) else {
            panic!("no mistake");
        };
        assert_eq!(mistake.pointer(), ["  {.é[y]}", "      ^"]);
        let hostile = Mistake {
            message: String::new(),
            text: "\x1b[2J".to_owned(),
            at: 99,
        };
        assert_eq!(hostile.pointer(), ["  ^[[2J", "       ^"]);
    }
}
