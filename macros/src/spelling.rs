//! Tells constants from functions by their spelling, which is all that a macro sees of them.

use syn::ExprPath;

/// Returns whether the path is a constant, not a function.
pub(crate) fn is_const(path: &ExprPath) -> bool {
    let last = path.path.segments.last();
    last.is_some_and(|segment| is_written_like_a_constant(&segment.ident.to_string()))
}

pub(crate) fn is_written_like_a_constant(name: &str) -> bool {
    name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase)
}
