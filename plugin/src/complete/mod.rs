//! Completion of the command line, without broker and terminal.
//!
//! The protocol is cobra's, which kubectl speaks with its plugins (`k8s.io/kubectl/pkg/cmd/plugin`, plugin_completion.go):
//! a program `kubectl_complete-mqinformer` gets the words behind the plugin's name, the one under the cursor last,
//! and prints a candidate a line, a description behind a tab, and at last a line `:` and a number that says how to go
//! on. The scripts for bash, zsh and fish ask the plugin itself, the same way.
//!
//! What the words are is read from clap's own description of them, so that a new flag or value is completed at once.
//! `clap_complete` is not used: its dynamic engine is an unstable feature, completes blocking, and speaks no cobra.
//!
//! | module | what it is |
//! |---|---|
//! | [`words`] | which word is wanted, and what was said before it |
//! | [`answer`] | candidates out of what is known |
//! | [`script`] | the scripts for shells |
//!
//! **Architecture invariant:** pure. No IO, no clock, no async.

pub mod answer;
pub mod script;
pub mod words;
