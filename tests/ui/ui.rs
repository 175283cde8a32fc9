//! Compiler errors on misuse of the attributes. Each file of `cases/` holds one error, and its
//! `.stderr` the output of the compiler, which `TRYBUILD=overwrite tests/run -E 'package(test-ui)'`
//! writes anew.
//!
//! The errors are those that the compiler finds in expanded code. Those of the attributes
//! themselves are tested without the compiler, in `macros/src/rewrite/tests.rs`. Links to some of
//! its cases show that the compiler marks what that test renders, and that the code beside the
//! errors compiles:
//!
//! - `missing_everything` marks the attribute, `conditional` an argument of a reapplied attribute,
//!   `missing_comma` one token, `shared_counter` several.
//! - `several_errors`, `stacked_errors` and `concurrency_stacked_errors` have an order.
//! - The others have items that are no handlers, which must not cause further errors.

use std::{env, process::Command};

// `shapes` is a module and not a `pass` case: with one of those, trybuild builds all cases instead
// of checking them.
#[path = "cases/pass/shapes.rs"]
mod shapes;

/// Flags of rustc, as Cargo takes them before all others.
const FLAGS: &str = "CARGO_ENCODED_RUSTFLAGS";

/// The test runs once more as a process with [`FLAGS`], which are those that trybuild has for the
/// cases. For the dependencies it has flags without the width, and so Cargo would build all of them
/// twice.
#[test]
fn misuse_is_explained_where_it_stands() {
    if env::var_os(FLAGS).is_some() {
        trybuild::TestCases::new().compile_fail("cases/*.rs");
        return;
    }
    let flags = "--cfg trybuild --verbose -A dead_code --diagnostic-width=140";
    let test = env::current_exe().expect("the path of this program");
    let status = Command::new(test)
        .args(env::args_os().skip(1))
        .env(FLAGS, flags.replace(' ', "\u{1f}"))
        .status()
        .expect("this program starts");
    assert!(status.success(), "the cases failed: see above");
}
