//! Compiles the protocol's messages: protox reads the `.proto` files, prost writes the Rust; no `protoc` is needed.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    const DIRECTORY: &str = "src/protocol";
    const FILES: [&str; 2] = ["src/protocol/messages.proto", "src/protocol/rows.proto"];
    println!("cargo::rerun-if-changed={DIRECTORY}/messages.proto");
    println!("cargo::rerun-if-changed={DIRECTORY}/rows.proto");
    let files = protox::compile(FILES, [DIRECTORY])?;
    prost_build::Config::new()
        .bytes(["."])
        .btree_map(["."])
        .compile_fds(files)?;
    Ok(())
}
