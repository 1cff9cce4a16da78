//! `api-resources`: what clusters have. The printing is [`crate::get::api_resources`]'s.

use super::{ClusterArgs, TimeoutArgs};
use crate::error::Failure;
use crate::get::Plan;
use crate::get::api_resources::{Choice, Listing, Order};
use crate::print::sanitize;
use crate::scope::Scope;
use crate::terminal::Terminal;
use clap::{ArgAction, Args};

/// Show which resources clusters have, and which of several clusters have each.
///
/// With exactly one --cluster (or --context) that is a name, the output is kubectl's own, byte for byte. Otherwise a
/// resource that clusters have alike is one row, whose last column says which clusters those are.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  # What one cluster has, as kubectl shows it
  kubectl mqinformer api-resources --cluster cluster1

  # Which clusters have which version of a CRD
  kubectl mqinformer api-resources --api-group=cert-manager.io

  # What can be watched and lives in no namespace, with all that can be done with it
  kubectl mqinformer api-resources --namespaced=false --verbs=watch -o wide")]
pub struct ApiResourcesArgs {
    /// kubectl takes none either.
    #[arg(hide = true, value_name = "WORD")]
    pub words: Vec<String>,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub clusters: ClusterArgs,

    /// Only of this API group; '' is the core group.
    #[arg(long, value_name = "GROUP")]
    pub api_group: Option<String>,

    /// Only those that live in namespaces; with =false only those that do not.
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        action = ArgAction::Set,
        hide_possible_values = true
    )]
    pub namespaced: Option<bool>,

    /// Only what all of this can be done with: get, list, watch, ...
    #[arg(long, value_name = "VERB", value_delimiter = ',')]
    pub verbs: Vec<String>,

    /// Only what is in all of these categories: all, ...
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',')]
    pub categories: Vec<String>,

    /// Sort by name or kind. Default: by group.
    #[arg(
        long,
        value_name = "COLUMN",
        default_value = "",
        hide_default_value = true
    )]
    pub sort_by: String,

    /// How to print: wide, name, json, yaml or kyaml.
    #[arg(
        long,
        short,
        value_name = "FORM",
        default_value = "",
        hide_default_value = true
    )]
    pub output: String,

    /// Print no headers.
    #[arg(long)]
    pub no_headers: bool,

    /// For kubectl's scripts: what is known is always fresh here.
    #[arg(long, hide = true)]
    pub cached: bool,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its doc comment would replace the command's help"
    )]
    pub timeouts: TimeoutArgs,

    /// Exit with 0 although some clusters could not be read.
    #[arg(long)]
    pub allow_partial: bool,
}

/// kubectl's words.
#[derive(Debug, thiserror::Error)]
enum Invalid {
    #[error("unexpected arguments: [{0}]\nSee 'kubectl api-resources -h' for help and examples")]
    Words(String),
    #[error("--sort-by accepts only name or kind")]
    Order,
    #[error(
        "unable to match a printer suitable for the output format {0:?}, allowed formats are: json,kyaml,name,wide,yaml"
    )]
    Form(String),
}

impl ApiResourcesArgs {
    fn choice(&self) -> Result<Choice, Invalid> {
        if !self.words.is_empty() {
            return Err(Invalid::Words(self.words.join(" ")));
        }
        Ok(Choice {
            group: self.api_group.clone(),
            namespaced: self.namespaced,
            verbs: self.verbs.clone(),
            categories: self.categories.clone(),
            order: match self.sort_by.as_str() {
                "" => Order::Group,
                "name" => Order::Name,
                "kind" => Order::Kind,
                _ => return Err(Invalid::Order),
            },
            form: match (self.output.as_str(), self.output.to_lowercase().as_str()) {
                ("", _) => Listing::Table,
                ("wide", _) => Listing::Wide,
                ("name", _) => Listing::Name,
                (_, "json") => Listing::Json,
                (_, "yaml") => Listing::Yaml,
                (_, "kyaml") => Listing::Kyaml,
                (word, _) => return Err(Invalid::Form(word.to_owned())),
            },
            no_headers: self.no_headers,
        })
    }
}

/// Prints what the clusters have.
pub async fn run(
    args: &ApiResourcesArgs,
    scope: &Scope,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let selector = scope.selector(&args.clusters)?;
    let choice = match args.choice() {
        Ok(choice) => choice,
        Err(error) => {
            terminal.err(&sanitize::text(&format!("error: {error}")))?;
            return Err(Failure::Told(1));
        }
    };
    let plan = Plan {
        timeout: args.timeouts.timeout,
        request_timeout: Some(args.timeouts.request_timeout).filter(|limit| !limit.is_zero()),
        allow_partial: args.allow_partial,
        way: scope.place.way(),
        ..Plan::default()
    };
    super::get::carry_out(plan.of_catalogs(choice), &selector, scope, terminal).await
}
