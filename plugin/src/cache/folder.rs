//! The files of a cache. What they are is not its business; whose they are is.

use super::Limits;
use bytes::Bytes;
use rustix::process::geteuid;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How a file that is being written is called until it is whole.
const UNFINISHED: &str = "tmp";
/// How a whole one is called.
const WHOLE: &str = "copy";
/// Whoever was writing it has ended long since.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A folder that only its owner can look into.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

/// A file of another owner, or one that others may write to, is nobody's word.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is not there.
    #[error("it is not there")]
    Missing,
    /// Somebody else may have written it.
    #[error("it is not a file of its own user's only")]
    Foreign,
    /// Others can look into the whole folder.
    #[error("{} is open to others: chmod 700 closes it", .0.display())]
    Open(PathBuf),
    /// The system says no.
    #[error(transparent)]
    Io(io::Error),
}

impl Unusable {
    /// Whether the file itself is at fault, and may go.
    pub fn is_file_s(&self) -> bool {
        matches!(self, Self::Foreign)
    }
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Io(error),
        }
    }
}

impl Folder {
    /// The folder at this place; it is made when something is written.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Reads a file of the folder, or its beginning.
    ///
    /// # Errors
    /// When it is not there, or not this user's own.
    pub fn read(&self, path: &Path, most: Option<u64>) -> Result<Bytes, Unusable> {
        // The folder may be a link to another disk: what counts is what it leads to.
        if !is_own(&fs::metadata(&self.root)?) {
            return Err(Unusable::Open(self.root.clone()));
        }
        let metadata = fs::symlink_metadata(path)?;
        if !metadata.is_file() || !is_own(&metadata) {
            return Err(Unusable::Foreign);
        }
        let file = File::open(path)?;
        let mut bytes = Vec::new();
        file.take(most.unwrap_or(u64::MAX))
            .read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }

    /// Writes a file, whole or not at all, whoever else is writing it.
    ///
    /// # Errors
    /// When the system says no.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Unusable> {
        let folder = path.parent().unwrap_or(&self.root);
        self.make(folder)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let unique = format!(
            "{name}.{}-{:?}.{UNFINISHED}",
            std::process::id(),
            std::thread::current().id()
        );
        let beside = folder.join(unique.replace(['(', ')'], "-"));
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            // It may never have been made.
            let _ = fs::remove_file(&beside);
        }
        Ok(written?)
    }

    /// Every folder on the way, for its owner only.
    fn make(&self, folder: &Path) -> Result<(), Unusable> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let root = fs::metadata(&self.root)?;
        if root.uid() != geteuid().as_raw() || !root.is_dir() {
            return Err(Unusable::Foreign);
        }
        if !is_own(&root) {
            // It was made by something else, for everybody to look into.
            fs::set_permissions(&self.root, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    /// The whole files of one of its folders.
    pub fn files(folder: &Path) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        let mut files: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|it| it == WHOLE))
            .collect();
        files.sort();
        files
    }

    /// The folders in one of its folders.
    pub fn folders(folder: &Path) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|it| it.is_dir());
        let entries = entries.filter_map(Result::ok).filter(is_folder);
        let mut folders: Vec<_> = entries.map(|entry| entry.path()).collect();
        folders.sort();
        folders
    }

    /// Notes that a file is of use.
    pub fn touch(path: &Path, now: SystemTime) {
        // Without it the file is pruned a little earlier.
        let _ = File::options()
            .append(true)
            .open(path)
            .and_then(|file| file.set_modified(now));
    }

    /// Removes a file; it may be gone already.
    pub fn remove(path: &Path) {
        let _ = fs::remove_file(path);
    }

    /// Removes what is older than the limits allow, then the longest unused files until the rest is small enough.
    /// Touches nothing but what it can have written itself.
    pub fn prune(&self, limits: &Limits, now: SystemTime) {
        let mut kept = Vec::new();
        for folder in Self::folders(&self.root)
            .iter()
            .flat_map(|it| Self::folders(it))
        {
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
                let Ok(metadata) = fs::symlink_metadata(&path) else {
                    continue;
                };
                let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                let age = now.duration_since(used).unwrap_or_default();
                let is = |extension: &str| {
                    metadata.is_file() && path.extension().is_some_and(|it| it == extension)
                };
                if is(UNFINISHED) && age > ABANDONED || is(WHOLE) && age > limits.age {
                    Self::remove(&path);
                } else if is(WHOLE) {
                    kept.push((used, metadata.len(), path));
                }
            }
        }
        kept.sort();
        let mut size: u64 = kept.iter().map(|(_, size, _)| size).sum();
        for (_, own, path) in &kept {
            if size <= limits.size {
                break;
            }
            Self::remove(path);
            size -= own;
        }
        self.remove_empty_folders();
    }

    fn remove_empty_folders(&self) {
        for broker in Self::folders(&self.root) {
            for cluster in Self::folders(&broker) {
                // It goes only if nothing is in it.
                let _ = fs::remove_dir(cluster);
            }
            let _ = fs::remove_dir(broker);
        }
    }
}

/// It is this user's, and nobody else can read or write it.
fn is_own(metadata: &Metadata) -> bool {
    metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o077 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene {
        folder: Folder,
        root: PathBuf,
        _directory: tempfile::TempDir,
    }

    fn scene() -> Scene {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("deep/mqinformer");
        Scene {
            folder: Folder::new(root.clone()),
            root,
            _directory: directory,
        }
    }

    impl Scene {
        fn put(&self, name: &str, size: usize, age_s: u64) -> PathBuf {
            let path = self.root.join("broker/cluster").join(name);
            self.folder.write(&path, &vec![0; size]).unwrap();
            Folder::touch(&path, SystemTime::now() - Duration::from_secs(age_s));
            path
        }

        fn names(&self) -> Vec<String> {
            let folder = self.root.join("broker/cluster");
            let names = Folder::files(&folder).into_iter();
            names
                .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
                .collect()
        }

        fn prune(&self, size: u64, age_s: u64) {
            let age = Duration::from_secs(age_s);
            self.folder.prune(&Limits { size, age }, SystemTime::now());
        }
    }

    #[test]
    fn only_the_owner_can_look_into_it() {
        let scene = scene();
        let path = scene.put("a.copy", 3, 0);
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        for folder in path.ancestors().skip(1).take(4) {
            assert_eq!(mode(folder), 0o700, "{}", folder.display());
        }
        assert_eq!(scene.folder.read(&path, None).unwrap().len(), 3);
        assert_eq!(scene.folder.read(&path, Some(2)).unwrap().len(), 2);
    }

    #[test]
    fn what_others_may_have_written_is_not_read() {
        let scene = scene();
        let path = scene.put("a.copy", 3, 0);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(
            scene.folder.read(&path, None),
            Err(Unusable::Foreign)
        ));
        let link = scene.root.join("broker/cluster/b.copy");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(matches!(
            scene.folder.read(&link, None),
            Err(Unusable::Foreign)
        ));
        let gone = scene.root.join("broker/cluster/c.copy");
        assert!(matches!(
            scene.folder.read(&gone, None),
            Err(Unusable::Missing)
        ));
    }

    #[test]
    fn a_folder_that_is_open_to_others_is_closed() {
        let scene = scene();
        let path = scene.put("a.copy", 3, 0);
        fs::set_permissions(&scene.root, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(
            scene.folder.read(&path, None),
            Err(Unusable::Open(_))
        ));
        scene.put("b.copy", 3, 0);
        assert!(scene.folder.read(&path, None).is_ok());
    }

    #[test]
    fn a_folder_on_another_disk_is_one_too() {
        let mut scene = scene();
        let elsewhere = scene.root.with_file_name("elsewhere");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&elsewhere)
            .unwrap();
        let link = scene.root.with_file_name("link");
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        (scene.folder, scene.root) = (Folder::new(link.clone()), link);
        let path = scene.put("a.copy", 3, 0);
        assert_eq!(scene.folder.read(&path, None).unwrap().len(), 3);
    }

    #[test]
    fn the_longest_unused_go_first() {
        let scene = scene();
        scene.put("old.copy", 100, 30);
        scene.put("new.copy", 100, 10);
        scene.put("older.copy", 100, 60);
        scene.prune(250, 3600);
        assert_eq!(scene.names(), ["new.copy", "old.copy"]);
        scene.prune(1000, 20);
        assert_eq!(scene.names(), ["new.copy"]);
        scene.prune(0, 3600);
        assert!(
            Folder::folders(&scene.root).is_empty(),
            "empty folders go too"
        );
    }

    #[test]
    fn unfinished_files_go_when_nobody_writes_them_any_more() {
        let scene = scene();
        let (fresh, stale) = (
            scene.put("a.copy.1.tmp", 1, 0),
            scene.put("b.copy.2.tmp", 1, 7200),
        );
        let other = scene.put("notes.txt", 1, 1_000_000);
        scene.prune(1000, 3600);
        assert!(fresh.exists() && !stale.exists());
        assert!(other.exists(), "nothing but what it can have written");
    }

    #[test]
    fn two_writers_at_once_leave_one_whole_file() {
        let scene = scene();
        let path = scene.root.join("broker/cluster/a.copy");
        std::thread::scope(|scope| {
            for byte in 0..4_u8 {
                let (folder, path) = (&scene.folder, &path);
                scope.spawn(move || {
                    for _ in 0..20 {
                        folder.write(path, &vec![byte; 50_000]).unwrap();
                    }
                });
            }
            for _ in 0..50 {
                let Ok(bytes) = scene.folder.read(&path, None) else {
                    continue;
                };
                assert!(bytes.len() == 50_000 && bytes.iter().all(|byte| *byte == bytes[0]));
            }
        });
        assert_eq!(scene.names(), ["a.copy"]);
    }
}
