//! The files of one broker's clusters: labels, copies, and whether they are what they say.

use super::Limits;
use super::folder::Folder;
use super::label::Label;
use bytes::Bytes;
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::replica::{Copy, NotSaved, Saved};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A label, and what stands before it, is within so many bytes.
const LABEL: u64 = 66 << 10;

/// What is to be written where, unless its stream has a file already.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) label: Label,
    pub(super) copy: Copy,
    pub(super) folder: PathBuf,
    pub(super) path: PathBuf,
}

/// What is there of one broker's clusters.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) folder: Folder,
    pub(super) home: PathBuf,
    pub(super) identity: String,
    pub(super) limits: Limits,
}

impl Shelf {
    /// The labels in a cluster's folder. They are only believed when the whole was read.
    pub(super) fn labels(&self, folder: &Path) -> Vec<(PathBuf, Label)> {
        let read = |path: PathBuf| {
            let beginning = self.folder.read(&path, Some(LABEL)).ok()?;
            let label = Saved::label_of(beginning).ok()?;
            Some((path, serde_json::from_slice(&label).ok()?))
        };
        Folder::files(folder).into_iter().filter_map(read).collect()
    }

    /// None: it is too old.
    pub(super) fn checked(
        &self,
        bytes: Bytes,
        cluster: &ClusterName,
    ) -> Result<Option<(Saved, Label)>, NotSaved> {
        let saved = Saved::from_bytes(bytes)?;
        let label: Label = serde_json::from_slice(&saved.label).map_err(|_| NotSaved::Corrupt)?;
        let is_ours = label.broker == self.identity && label.cluster == cluster.as_str();
        // What it has has to be what it says, and may not be what is never kept.
        let asked = Selection {
            resource: label.words.first().cloned().unwrap_or_default(),
            view: match label.selection.view.as_str() {
                "rows" => View::Rows,
                "objects" => View::Objects,
                _ => View::Resources,
            },
            ..Selection::default()
        };
        let says = Label::of(&asked, &saved.copy).map(|says| says.resource);
        if !is_ours || saved.copy.seq == 0 || says != Some(label.resource.clone()) {
            return Err(NotSaved::Foreign);
        }
        let age = now_ms().checked_sub(label.proven_at_ms);
        // One from the future has lived through a clock that was set back: nobody knows how old it is.
        let usable = age.is_some_and(|age| u128::from(age) <= self.limits.age.as_millis());
        Ok(usable.then_some((saved, label)))
    }

    /// Whether a file that was proven lately has this copy, under these words.
    fn has_it(&self, there: &Label, label: &Label) -> bool {
        let later = label.proven_at_ms.checked_sub(there.proven_at_ms);
        let is_recent = later.is_some_and(|ms| u128::from(ms) <= self.limits.age.as_millis() / 10);
        let source = |of: &Label| (of.kubernetes_version.clone(), of.cluster_labels.clone());
        let is_known = label.kubernetes_version.is_empty() || source(label) == source(there);
        is_recent && is_known && there.state == label.state && label.words.is_subset(&there.words)
    }

    /// Whether a file may be as large as this one.
    fn has_room(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|file| file.len() <= self.limits.size)
    }

    /// Writes a copy, into the file that its stream already has under another word, if there is one. False: all is as it
    /// was.
    pub(super) fn write(&self, book: Book) -> bool {
        let Book {
            mut label,
            copy,
            folder,
            path: direct,
        } = book;
        let others = self.labels(&folder).into_iter();
        let same = others
            .filter(|(_, other)| other.is_same_stream(&label))
            .min_by_key(|(path, _)| *path != direct);
        let path = match same {
            // It has the very copy. Its age would be news, and is not worth as many bytes with each command.
            Some((path, other)) if self.has_it(&other, &label) && self.has_room(&path) => {
                return false;
            }
            Some((path, other)) => {
                label.words.extend(other.words);
                if label.kubernetes_version.is_empty() {
                    // This command was not told who serves the cluster.
                    label.kubernetes_version = other.kubernetes_version;
                    label.cluster_labels = other.cluster_labels;
                }
                path
            }
            None => direct,
        };
        let Ok(text) = serde_json::to_vec(&label) else {
            return false;
        };
        let saved = Saved {
            label: text.into(),
            copy,
        };
        if let Err(error) = self.folder.write(&path, &saved.to_bytes()) {
            // The next command is as slow as this one: nothing that anybody has to be told.
            tracing::debug!(%error, path = %path.display(), "a copy could not be kept");
        }
        true
    }
}

/// By this machine's clock, since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
