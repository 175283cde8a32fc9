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

// `shapes` is a module and not a `pass` case: with one of those, trybuild builds all cases instead
// of checking them.
#[path = "cases/pass/shapes.rs"]
mod shapes;

#[test]
fn misuse_is_explained_where_it_stands() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
