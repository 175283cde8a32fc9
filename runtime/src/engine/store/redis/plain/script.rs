//! The source of the plain script, with its hash.

use std::sync::LazyLock;

use redis::Script;

/// One file per algorithm, between the reading and the charging.
pub(crate) const SOURCE: &str = concat!(
    include_str!("../scripts/plain/head.lua"),
    include_str!("../scripts/mul_div.lua"),
    include_str!("../scripts/plain/read.lua"),
    include_str!("../scripts/plain/sliding_window.lua"),
    include_str!("../scripts/plain/sliding_window_counter.lua"),
    include_str!("../scripts/plain/fixed_window.lua"),
    include_str!("../scripts/plain/bucket.lua"),
    include_str!("../scripts/plain/charge.lua"),
);

/// The script with its SHA-1 hash, which is computed once.
pub(crate) static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(SOURCE));
