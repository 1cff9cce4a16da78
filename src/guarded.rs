//! What the guards count the instructions of: `bench guards` runs the tests named `guards::` under callgrind, which
//! counts while this function runs and at no other time.

/// Runs what is guarded. Its name is what callgrind looks for.
#[inline(never)]
pub(crate) fn guarded_section<T>(run: impl FnOnce() -> T) -> T {
    std::hint::black_box(run())
}
