//! Compiler errors on misuse of the attributes. Each file of `cases/` holds one error, and its
//! `.stderr` the output of the compiler, which `TRYBUILD=overwrite cargo test -p test-ui` rewrites.

// `shapes` is a module and not a `pass` case: with one of those, trybuild builds all cases instead
// of checking them.
#[path = "cases/pass/shapes.rs"]
mod shapes;

#[test]
fn misuse_is_explained_where_it_stands() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
