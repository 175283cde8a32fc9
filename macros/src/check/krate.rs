//! `crate = ...`: the path of the runtime crate in generated code.

use syn::{Path, parse_quote};

use super::function::function;
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// Parses the argument; `None` if it is absent, or invalid and therefore reported.
pub(crate) fn check(arguments: &Arguments, errors: &mut Errors) -> Option<Path> {
    let path = function(arguments, ArgName::Crate, errors)?;
    Some(path.path)
}

/// Returns the default path, the crate's own name.
pub(crate) fn default() -> Path {
    parse_quote!(::actix_throttle)
}
