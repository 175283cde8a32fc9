//! The programs of `examples/`.

use std::{
    env::{self, consts::EXE_SUFFIX},
    path::PathBuf,
};

/// Returns the path of an example's program. `tests/run` names the examples that tests start, and
/// builds them with all packages of the workspace. A test that builds one by itself would build
/// dependencies anew.
///
/// # Panics
///
/// If the program was not built.
pub fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of this program");
    // The test is in `deps`, beside which the examples have a folder.
    let folder = test.ancestors().nth(2).expect("the folder of the profile");
    let program = folder.join("examples").join(format!("{name}{EXE_SUFFIX}"));
    assert!(
        program.is_file(),
        "{} is missing: let `tests/run` build it",
        program.display()
    );
    program
}
