//! `crate = ...`: where macro output finds the runtime.

use syn::{Path, parse_quote};

use crate::{args::Arguments, errors::Errors, function::function, name::ArgName};

/// What is written; `None` if it is absent or wrong.
pub(crate) fn check(arguments: &Arguments, errors: &mut Errors) -> Option<Path> {
    let path = function(arguments, ArgName::Crate, errors)?;
    Some(path.path)
}

/// Under its own name.
pub(crate) fn default() -> Path {
    parse_quote!(::actix_throttle)
}
