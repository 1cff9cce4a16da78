//! The words and flags of `get` as a plan.

use super::GetArgs;
use crate::filter::Filter;
use crate::filter::sort_column::SortColumn;
use crate::get::output::{self, InvalidOutput, Mistake};
use crate::get::plan::{InvalidPlan, Watch};
use crate::get::{Form, Plan};
use crate::print::objects::Format;
use crate::print::sort::SortField;
use crate::scope::Scope;

/// Why nothing was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Invalid {
    #[error(transparent)]
    Plan(#[from] InvalidPlan),
    #[error(transparent)]
    Output(#[from] InvalidOutput),
}

impl GetArgs {
    pub(super) fn plan(&self, scope: &Scope, filter: Option<Filter>) -> Result<Plan, Invalid> {
        let output = output::Output {
            word: self.output.as_deref(),
            template: self.template.as_deref(),
            no_headers: self.no_headers,
            allow_missing_keys: self.allow_missing_template_keys,
        };
        let form = output::form(&output, read_file)?;
        let tables = matches!(form, Form::Table | Form::Wide);
        if self.show_labels && !tables {
            let word = self.output.clone().unwrap_or_default();
            return Err(InvalidPlan::ShowLabels(word).into());
        }
        let sort_column = SortColumn::parse(&self.sort_by);
        if let (Some(column), false) = (&sort_column, tables || form == Form::Name) {
            return Err(InvalidPlan::SortObjects(column.header().to_owned()).into());
        }
        let sort = match self.sort_by.as_str() {
            _ if sort_column.is_some() => None,
            "" => None,
            path => {
                let field = SortField::parse(path, !tables);
                Some(field.map_err(|error| InvalidOutput::from(Mistake::of(error, path)))?)
            }
        };
        if form == Form::Name && sort.is_some() && filter.is_some() {
            return Err(InvalidPlan::FilterSortedNames.into());
        }
        let watch = match (self.watch, self.watch_only) {
            (_, true) => Some(Watch::ChangesOnly),
            (true, false) => Some(Watch::ListFirst),
            (false, false) => None,
        };
        let plan = Plan {
            targets: Vec::new(),
            namespaces: scope.namespaces(&self.reach),
            labels: self.selector.clone(),
            fields: self.field_selector.clone(),
            filter,
            // Whole objects are needed to be sorted.
            form: match (&form, &sort) {
                (Form::Name, Some(_)) => Form::Objects(Format::Name),
                _ => form,
            },
            no_headers: self.no_headers,
            show_labels: self.show_labels,
            label_columns: self.label_columns.clone(),
            show_kind: self.show_kind,
            managed_fields: self.show_managed_fields,
            sort,
            sort_column,
            events: self.output_watch_events,
            ignore_not_found: self.ignore_not_found,
            watch,
            wait: None,
            timeout: self.timeouts.timeout,
            request_timeout: Some(self.timeouts.request_timeout).filter(|limit| !limit.is_zero()),
            allow_partial: self.allow_partial,
            way: scope.place.way(),
        };
        Ok(plan.with_words(&self.words)?)
    }
}

/// The text of a file, or what Go says of one that cannot be read.
pub(in crate::commands) fn read_file(path: &str) -> Result<String, String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
                std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
                std::io::ErrorKind::IsADirectory => {
                    return Err(format!("read {path}: is a directory"));
                }
                _ => error.to_string(),
            };
            Err(format!("open {path}: {why}"))
        }
    }
}
