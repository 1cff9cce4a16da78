//! The cache as an informer wants it: copies loaded when a stream begins, kept when it ends.

use super::folder::{Folder, Unusable};
use super::label::{self, Fit, Label};
use super::shelf::{Book, Shelf, now_ms};
use crate::print::sanitize;
use mqtt_informer::informer::{Cluster, Keeper, Kept};
use mqtt_informer::kubernetes::duration::human;
use mqtt_informer::protocol::message::{Presence, Selection};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::replica::{Copy, Saved};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Nobody waits longer for a disk at the end of a command.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a cache may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together.
    pub size: u64,
    /// A copy that was proven longer ago is not used.
    pub age: Duration,
}

/// The copies of one broker's clusters on this disk.
#[derive(Debug)]
pub struct Cache {
    shelf: Arc<Shelf>,
    is_offline: bool,
    noted: Mutex<Noted>,
    writer: Mutex<Option<Writer>>,
}

/// What is to be told at the end of a command.
#[derive(Debug, Default)]
struct Noted {
    /// Files that could not be used: how many, and the first.
    unusable: usize,
    first: Option<String>,
    /// The age of the oldest copy that was used of each cluster, in ms.
    ages: BTreeMap<ClusterName, u64>,
}

/// A thread that writes what is kept, one after the other.
#[derive(Debug)]
struct Writer {
    books: Sender<Book>,
    done: Receiver<()>,
}

impl Cache {
    /// The cache in this folder, for one broker ([`label::identity`]). Nothing is touched before it is used.
    pub fn new(root: PathBuf, identity: String, limits: Limits, is_offline: bool) -> Self {
        let shelf = Shelf {
            home: root.join(label::broker_folder(&identity)),
            folder: Folder::new(root),
            identity,
            limits,
        };
        Self {
            shelf: Arc::new(shelf),
            is_offline,
            noted: Mutex::default(),
            writer: Mutex::default(),
        }
    }

    /// Whether it is all that there is.
    pub fn is_offline(&self) -> bool {
        self.is_offline
    }

    /// The clusters of which something is there, with what their sources last said of themselves.
    pub fn clusters(&self) -> BTreeMap<ClusterName, Cluster> {
        let mut newest: BTreeMap<ClusterName, Label> = BTreeMap::new();
        for folder in Folder::folders(&self.shelf.home) {
            for label in self
                .shelf
                .labels(&folder)
                .into_iter()
                .map(|(_, label)| label)
            {
                let Ok(name) = ClusterName::new(&label.cluster) else {
                    continue;
                };
                let known = newest.get(&name).map_or(0, |known| known.proven_at_ms);
                if label.broker == self.shelf.identity && known <= label.proven_at_ms {
                    newest.insert(name, label);
                }
            }
        }
        let cluster = |(name, label): (ClusterName, Label)| {
            let presence = Presence {
                online: true,
                cluster: label.cluster,
                labels: label.cluster_labels.into_iter().collect(),
                kubernetes_version: label.kubernetes_version,
                at_ms: label.proven_at_ms,
                ..Presence::default()
            };
            let offline = false;
            (name, Cluster { presence, offline })
        };
        newest.into_iter().map(cluster).collect()
    }

    /// Waits until everything that was given is on the disk, and answers with what is to be said on stderr.
    pub fn finish(&self) -> Vec<String> {
        let writer = lock(&self.writer).take();
        if let Some(Writer { books, done }) = writer {
            drop(books);
            // An error is the end of the thread as well.
            let _ = done.recv_timeout(PATIENCE);
        }
        let noted = std::mem::take(&mut *lock(&self.noted));
        let mut lines = Vec::new();
        if let Some(first) = noted.first {
            let others = match noted.unusable {
                0 | 1 => String::new(),
                more => format!(", and {} others", more - 1),
            };
            lines.push(format!("warning: cache: {first}{others}"));
        }
        if self.is_offline {
            let line = |(cluster, age): (&ClusterName, &u64)| {
                format!(
                    "cluster \"{}\": offline, as it was {} ago",
                    sanitize::word(cluster.as_str()),
                    human(i64::try_from(*age).unwrap_or(i64::MAX))
                )
            };
            lines.extend(noted.ages.iter().map(line));
        }
        lines
    }

    /// The copy of a stream that was kept last, to be looked at as what it is: old. With the moment, in ms since 1970, at
    /// which it was proven. Blocks.
    pub fn last(&self, cluster: &ClusterName, selection: &Selection) -> Option<(Copy, u64)> {
        let (_, saved, _) = self.find(cluster, selection)?;
        let label: Label = serde_json::from_slice(&saved.label).ok()?;
        Some((saved.copy, label.proven_at_ms))
    }

    /// A file with a copy that answers, checked; the best first.
    fn find(&self, cluster: &ClusterName, selection: &Selection) -> Option<(PathBuf, Saved, Fit)> {
        let folder = self.shelf.home.join(label::cluster_folder(cluster));
        let direct = folder.join(label::file(selection)?);
        if let Some((saved, fit)) = self.open(&direct, cluster, selection)
            && fit == Fit::Same
        {
            return Some((direct, saved, fit));
        }
        let fits = |(path, label): (PathBuf, Label)| {
            let fit = label.fit(selection)?;
            (fit == Fit::Same || self.is_offline).then_some((path, fit))
        };
        let mut candidates: Vec<_> = self
            .shelf
            .labels(&folder)
            .into_iter()
            .filter_map(fits)
            .collect();
        candidates.sort_by_key(|(path, fit)| (*fit != Fit::Same, path.clone()));
        candidates.into_iter().find_map(|(path, _)| {
            let (saved, fit) = self.open(&path, cluster, selection)?;
            Some((path, saved, fit))
        })
    }

    /// Reads a file that should answer. What is wrong with it is noted, and the file is gone.
    fn open(
        &self,
        path: &Path,
        cluster: &ClusterName,
        selection: &Selection,
    ) -> Option<(Saved, Fit)> {
        let bytes = match self.shelf.folder.read(path, None) {
            Ok(bytes) => bytes,
            Err(Unusable::Missing) => return None,
            Err(why) if why.is_file_s() => {
                self.discard(path, &why);
                return None;
            }
            // It may be good: whoever mends what is wrong has it again.
            Err(why) => {
                self.note("cannot use", path, &why);
                return None;
            }
        };
        match self.shelf.checked(bytes, cluster) {
            Ok(None) => {
                Folder::remove(path);
                None
            }
            Ok(Some((saved, label))) => {
                let fit = label.fit(selection)?;
                if self.is_offline {
                    let age = now_ms().saturating_sub(label.proven_at_ms);
                    let ages = &mut lock(&self.noted).ages;
                    let oldest = ages.entry(cluster.clone()).or_default();
                    *oldest = age.max(*oldest);
                }
                Some((saved, fit))
            }
            Err(why) => {
                self.discard(path, &why);
                None
            }
        }
    }

    fn discard(&self, path: &Path, why: &dyn std::fmt::Display) {
        Folder::remove(path);
        self.note("discarded", path, why);
    }

    fn note(&self, what: &str, path: &Path, why: &dyn std::fmt::Display) {
        let mut noted = lock(&self.noted);
        noted.unusable += 1;
        let shown = path.display().to_string();
        noted
            .first
            .get_or_insert_with(|| format!("{what} {}: {why}", sanitize::word(&shown)));
    }
}

impl Keeper for Cache {
    fn load(&self, cluster: &ClusterName, selection: &Selection) -> Option<Copy> {
        let (path, saved, fit) = self.find(cluster, selection)?;
        Folder::touch(&path, SystemTime::now());
        Some(match fit {
            Fit::Same => saved.copy,
            Fit::Wider(part) => part.of(saved.copy),
        })
    }

    fn keep(&self, kept: Kept) {
        let Kept {
            cluster,
            selection,
            copy,
            ..
        } = kept;
        let (Some(mut label), Some(name)) = (Label::of(&selection, &copy), label::file(&selection))
        else {
            return;
        };
        label.broker.clone_from(&self.shelf.identity);
        label.cluster = cluster.as_str().to_owned();
        if let Some(Cluster { presence, .. }) = kept.source {
            label.cluster_labels = presence.labels.into_iter().collect();
            label.kubernetes_version = presence.kubernetes_version;
        }
        let ago = u64::try_from(kept.proven.elapsed().as_millis()).unwrap_or(u64::MAX);
        label.proven_at_ms = now_ms().saturating_sub(ago);
        let folder = self.shelf.home.join(label::cluster_folder(&cluster));
        let book = Book {
            path: folder.join(name),
            label,
            copy,
            folder,
        };
        let mut writer = lock(&self.writer);
        let writer = writer.get_or_insert_with(|| Writer::start(Arc::clone(&self.shelf)));
        // One that has ended could not write: nothing is lost but time.
        let _ = writer.books.send(book);
    }

    fn missing(&self, _selection: &Selection) -> String {
        "nothing of this is in the cache: run the same without --offline once".to_owned()
    }
}

impl Writer {
    fn start(shelf: Arc<Shelf>) -> Self {
        let (books, received) = channel::<Book>();
        let (ended, done) = channel();
        std::thread::spawn(move || {
            while let Ok(first) = received.recv() {
                let more = std::iter::from_fn(|| received.try_recv().ok());
                let written = std::iter::once(first)
                    .chain(more)
                    .map(|book| shelf.write(book));
                if written.filter(|is_news| *is_news).count() > 0 {
                    shelf.folder.prune(&shelf.limits, SystemTime::now());
                }
            }
            // Nobody may be waiting.
            let _ = ended.send(());
        });
        Self { books, done }
    }
}

/// Nobody panics while holding one; were it so, what is in it is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use mqtt_informer::protocol::rows;
    use prost::Message;
    use std::os::unix::fs::PermissionsExt;
    use tokio::time::Instant;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    struct Scene {
        directory: tempfile::TempDir,
    }

    impl Scene {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            Self { directory }
        }

        fn cache(&self, is_offline: bool) -> Cache {
            let limits = Limits {
                size: 1 << 20,
                age: DAY,
            };
            let root = self.directory.path().join("mqinformer");
            Cache::new(root, "tcp://h:1 - /s /p".to_owned(), limits, is_offline)
        }

        /// A command that looks at something, and ends.
        fn keep(&self, word: &str, plural: &str) {
            let cache = self.cache(false);
            cache.keep(Kept {
                cluster: east(),
                selection: select(word),
                source: None,
                copy: copy(plural),
                proven: Instant::now(),
            });
            assert_eq!(cache.finish(), [""; 0]);
        }

        fn files(&self) -> Vec<PathBuf> {
            let cache = self.cache(false);
            let folders = Folder::folders(&cache.shelf.home);
            folders.iter().flat_map(|it| Folder::files(it)).collect()
        }

        /// Whether a command finds something, and what it says in the end.
        fn load(&self, word: &str, is_offline: bool) -> (bool, Vec<String>) {
            let cache = self.cache(is_offline);
            let found = cache.load(&east(), &select(word)).is_some();
            (found, cache.finish())
        }
    }

    fn east() -> ClusterName {
        ClusterName::new("east").unwrap()
    }

    fn select(word: &str) -> Selection {
        Selection {
            resource: word.to_owned(),
            ..Selection::default()
        }
    }

    fn copy(plural: &str) -> Copy {
        let header = rows::Header {
            version: "v1".to_owned(),
            plural: plural.to_owned(),
            kind: "Thing".to_owned(),
            namespaced: true,
            ..rows::Header::default()
        };
        let mut copy = Copy {
            seq: 7,
            ..Copy::default()
        };
        copy.entries
            .insert(Bytes::new(), header.encode_to_vec().into());
        copy.entries.insert("a/b".into(), "x".repeat(5000).into());
        copy
    }

    #[test]
    fn a_copy_that_is_there_already_is_not_written_again() {
        let scene = Scene::new();
        scene.keep("pods", "pods");
        let [path] = scene.files().try_into().unwrap();
        // Not so long ago that it would be pruned.
        let earlier = SystemTime::now() - DAY / 24;
        Folder::touch(&path, earlier);
        scene.keep("pods", "pods");
        let written = || std::fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(written(), earlier);
        scene.keep("po", "pods");
        assert_ne!(written(), earlier, "another word for it is news");
    }

    #[test]
    fn a_copy_is_there_for_the_next_command_under_every_name_and_one_file() {
        let scene = Scene::new();
        scene.keep("po", "pods");
        scene.keep("pods", "pods");
        assert_eq!(scene.files().len(), 1);
        for word in ["po", "pods", "thing"] {
            assert_eq!(scene.load(word, false), (true, vec![]), "{word}");
        }
        assert_eq!(scene.load("svc", false), (false, vec![]));
        let loaded = scene.cache(false).load(&east(), &select("po")).unwrap();
        assert_eq!((loaded.seq, loaded.entries), (7, copy("pods").entries));
    }

    #[test]
    fn what_is_corrupt_is_discarded_with_one_warning_and_never_again() {
        let scene = Scene::new();
        scene.keep("po", "pods");
        let file = scene.files().remove(0);
        let mut bytes = std::fs::read(&file).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        let (found, lines) = scene.load("po", false);
        assert!(!found && lines.len() == 1, "{lines:?}");
        assert!(
            lines[0].starts_with("warning: cache: discarded ")
                && lines[0].ends_with("its checksum does not match"),
            "{lines:?}"
        );
        assert_eq!(scene.load("po", false), (false, vec![]));
    }

    #[test]
    fn what_is_another_cluster_s_or_anybody_s_is_discarded() {
        let scene = Scene::new();
        scene.keep("po", "pods");
        let file = scene.files().remove(0);
        let west = file.parent().unwrap().with_file_name("c-west");
        std::fs::create_dir(&west).unwrap();
        std::fs::copy(&file, west.join(file.file_name().unwrap())).unwrap();
        let cache = scene.cache(false);
        let west = ClusterName::new("west").unwrap();
        assert!(cache.load(&west, &select("po")).is_none());
        assert_eq!(cache.finish().len(), 1);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let (found, lines) = scene.load("po", false);
        assert!(!found && lines.len() == 1, "{lines:?}");
    }

    #[test]
    fn secrets_leave_nothing_behind() {
        let scene = Scene::new();
        scene.keep("secrets", "secrets");
        scene.keep("sec", "secrets");
        assert!(scene.files().is_empty());
    }

    #[test]
    fn what_is_too_old_is_not_used() {
        let scene = Scene::new();
        // A label says when; a clock that has been running for a day cannot be had here.
        let cache = scene.cache(false);
        let mut label = Label::of(&select("po"), &copy("pods")).unwrap();
        label.broker.clone_from(&cache.shelf.identity);
        label.cluster = "east".to_owned();
        let folder = cache.shelf.home.join("c-east");
        let path = folder.join(label::file(&select("po")).unwrap());
        for (ago, found) in [(Duration::ZERO, true), (DAY + DAY, false)] {
            label.proven_at_ms = now_ms() - u64::try_from(ago.as_millis()).unwrap();
            cache.shelf.write(Book {
                label: label.clone(),
                copy: copy("pods"),
                folder: folder.clone(),
                path: path.clone(),
            });
            assert_eq!(scene.load("po", false), (found, vec![]), "{ago:?}");
        }
        assert!(!path.exists());
    }

    #[test]
    fn offline_tells_the_age_of_what_it_shows() {
        let scene = Scene::new();
        scene.keep("po", "pods");
        let (found, lines) = scene.load("pods", true);
        assert!(found);
        assert_eq!(lines, ["cluster \"east\": offline, as it was 0s ago"]);
        let known = scene.cache(true).clusters();
        assert_eq!(known.keys().collect::<Vec<_>>(), [&east()]);
    }
}
