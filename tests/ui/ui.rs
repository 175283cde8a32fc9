//! What the attributes say about misuse: each file of `cases/` holds one mistake, its `.stderr` what the
//! compiler prints. `TRYBUILD=overwrite cargo test -p test-ui` rewrites the latter.

// Not a `pass` case: with one of those, trybuild builds all cases instead of checking them.
#[path = "cases/pass/shapes.rs"]
mod shapes;

#[test]
fn misuse_is_explained_where_it_stands() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
