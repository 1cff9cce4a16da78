//! `mqtt-informer ROLE ...`, or by the name it is called by: `syncer ...`.

fn main() {}
