//! Where tables and texts are saved.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

/// Writes a text to a new file; answers where.
pub(super) fn save(name: &str, kind: &str, text: &str) -> io::Result<PathBuf> {
    let folder = folder().ok_or_else(|| io::Error::other("there is no home directory"))?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    let stamp = jiff::ZonedDateTime::now()
        .strftime("%Y%m%d-%H%M%S%.3f")
        .to_string();
    let path = folder.join(format!("{name}-{stamp}.{kind}"));
    // What is in it may be for nobody else.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}

/// `~/.local/state/mqinformer`, or where XDG_STATE_HOME says.
fn folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let state = variable("XDG_STATE_HOME").map(PathBuf::from);
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    Some(state.or_else(home)?.join("mqinformer"))
}
