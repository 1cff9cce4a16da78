//! The map itself: one line a key, as the table that it is.

use super::Action;
use super::Binding;
use super::Chord::{Capitals, Char, Code, Ctrl, Digits, Shift};
use super::Context;
use crossterm::event::KeyCode;

const fn on(context: Context, keys: &'static [super::Chord], action: Action, words: &'static str, hint: &'static str) -> Binding {
    Binding { context, keys, action, words, hint }
}

/// The map. Within a context, what stands first goes first.
pub const MAP: &[Binding] = &[
    on(Context::Table, &[Code(KeyCode::Enter)], Action::Open, "go into it: what it made, its pods, its containers", "open"),
    on(Context::Table, &[Char(' ')], Action::Mark, "mark it, or no longer", ""),
    on(Context::Table, &[Char('c')], Action::Copy, "copy its name, or those of all that are marked", ""),
    on(Context::Table, &[Ctrl('s')], Action::Save, "save the table to a file", ""),
    on(Context::Table, &[Ctrl('z')], Action::FaultsOnly, "only what is unwell, or all", "faults"),
    on(Context::Table, &[Ctrl('w')], Action::Wide, "the columns of wide output, too", ""),
    on(Context::Table, &[Ctrl('g')], Action::Group, "group by cluster, by namespace, by owner, not at all", "group"),
    on(Context::Table, &[Digits('9')], Action::Favourite, "0 all namespaces; 1-9 those that were used last", ""),
    on(Context::Table, &[Shift(KeyCode::Left)], Action::SortLeft, "sort by the column to the left", ""),
    on(Context::Table, &[Shift(KeyCode::Right)], Action::SortRight, "sort by the column to the right", ""),
    on(Context::Table, &[Capitals], Action::SortBy, "sort by the column with this letter; again: the other way round (Name, Age, Status, Ready, resTarts, nOde, namesPace, Cluster; else the first that begins so)", ""),
    on(Context::Table, &[Char('/')], Action::Filter, "filter: regex, !inverse, -l labels, -f fuzzy, COLUMN:value, COLUMN:>5", "filter"),
    on(Context::Object, &[Char('d')], Action::Describe, "describe it, with its events", "describe"),
    on(Context::Object, &[Char('y')], Action::Yaml, "its YAML, live", "yaml"),
    on(Context::Object, &[Char('l')], Action::Logs, "the logs of a pod or a container", "logs"),
    on(Context::Object, &[Char('e')], Action::Events, "its events", "events"),
    on(Context::Object, &[Char('J')], Action::Owner, "go to what made it", ""),
    on(Context::Object, &[Char('u')], Action::UsedBy, "which pods use it", ""),
    on(Context::Containers, &[Code(KeyCode::Enter)], Action::Logs, "the container's logs", "logs"),
    on(Context::Fleet, &[Code(KeyCode::Enter)], Action::Open, "the cluster's pods", "pods"),
    on(Context::Faults, &[Code(KeyCode::Enter)], Action::Open, "go into it", "open"),
    on(Context::Used, &[Code(KeyCode::Enter)], Action::Open, "the pod's containers", "open"),
    on(Context::Text, &[Char('/')], Action::Filter, "search for a regular expression", "search"),
    on(Context::Text, &[Char('n')], Action::Next, "where it is found next", "next"),
    on(Context::Text, &[Char('N')], Action::Before, "where it was found before that", ""),
    on(Context::Text, &[Char('w')], Action::Wrap, "long lines go on in the next one, or are cut", "wrap"),
    on(Context::Text, &[Char('h'), Code(KeyCode::Left)], Action::Left, "to the left", ""),
    on(Context::Text, &[Char('l'), Code(KeyCode::Right)], Action::Right, "to the right", ""),
    on(Context::Text, &[Char('c')], Action::Copy, "copy all of it", "copy"),
    on(Context::Text, &[Ctrl('s')], Action::Save, "save it to a file", ""),
    on(Context::Logs, &[Digits('6')], Action::Range, "0 the last 1000 lines; 1 from the beginning; 2 a minute, 3 five, 4 fifteen, 5 thirty; 6 an hour", "range"),
    on(Context::Logs, &[Char('s')], Action::Follow, "follow the end, or stay", "follow"),
    on(Context::Logs, &[Char('t')], Action::Stamps, "when each line was written", "times"),
    on(Context::Logs, &[Char('w')], Action::Wrap, "long lines go on in the next one, or are cut", "wrap"),
    on(Context::Logs, &[Char('/')], Action::Filter, "filter by a regular expression; ! turns it round", "filter"),
    on(Context::Logs, &[Char('h'), Code(KeyCode::Left)], Action::Left, "to the left", ""),
    on(Context::Logs, &[Char('l'), Code(KeyCode::Right)], Action::Right, "to the right", ""),
    on(Context::Logs, &[Char('c')], Action::Copy, "copy all that is shown", ""),
    on(Context::Logs, &[Ctrl('s')], Action::Save, "save what is shown to a file", ""),
    on(Context::Picker, &[Char(' ')], Action::Choose, "choose it, or no longer", "choose"),
    on(Context::Picker, &[Code(KeyCode::Enter)], Action::Accept, "show the clusters that are chosen, or else this one", "show"),
    on(Context::Picker, &[Char('/')], Action::Filter, "filter", "filter"),
    on(Context::Moving, &[Char('k'), Code(KeyCode::Up)], Action::Up, "up", ""),
    on(Context::Moving, &[Char('j'), Code(KeyCode::Down)], Action::Down, "down", ""),
    on(Context::Moving, &[Ctrl('b'), Code(KeyCode::PageUp)], Action::PageUp, "a page up", ""),
    on(Context::Moving, &[Ctrl('f'), Code(KeyCode::PageDown)], Action::PageDown, "a page down", ""),
    on(Context::Moving, &[Char('g'), Code(KeyCode::Home)], Action::First, "to the beginning", ""),
    on(Context::Moving, &[Char('G'), Code(KeyCode::End)], Action::Last, "to the end", ""),
    on(Context::Everywhere, &[Char(':')], Action::Command, "go to :pods, :deploy shop, :ns a,b, :ctx, @east,west, @all, :fleet, :faults, :diff", "command"),
    on(Context::Everywhere, &[Char('[')], Action::Earlier, "back in the history", ""), on(Context::Everywhere, &[Char(']')], Action::Later, "forward in the history", ""),
    on(Context::Everywhere, &[Char('-')], Action::Previous, "the view before, and back", ""),
    on(Context::Everywhere, &[Char('?')], Action::Help, "all keys", "help"),
    on(Context::Everywhere, &[Code(KeyCode::Esc)], Action::Back, "out of this view; or end the filter and the marks", "back"),
    on(Context::Table, &[Char('q')], Action::Quit, "quit", ""),
    on(Context::Everywhere, &[Char('q')], Action::Close, "out of this view", ""),
    on(Context::Everywhere, &[Ctrl('c')], Action::Quit, "quit", "quit"),
    on(Context::Prompt, &[Code(KeyCode::Enter)], Action::Accept, "do it", "do it"),
    on(Context::Prompt, &[Code(KeyCode::Tab)], Action::Complete, "complete; again: the next candidate", "complete"),
    on(Context::Prompt, &[Code(KeyCode::Up)], Action::Up, "what was typed before", ""),
    on(Context::Prompt, &[Code(KeyCode::Down)], Action::Down, "what was typed after that", ""),
    on(Context::Prompt, &[Code(KeyCode::Esc)], Action::Back, "leave it", "leave"),
    on(Context::Prompt, &[Ctrl('u')], Action::Clear, "clear it", ""),
    on(Context::Prompt, &[Ctrl('c')], Action::Back, "leave it", ""),
];
