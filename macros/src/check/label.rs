//! `name` and `zone`: how a limit is named and in which zone it counts.

use syn::LitStr;

use super::value::string;
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// The given `name` and `zone`, without defaults.
pub(crate) struct Label {
    pub(crate) name: Option<LitStr>,
    pub(crate) zone: Option<LitStr>,
}

impl Label {
    pub(crate) fn check(arguments: &Arguments, errors: &mut Errors) -> Self {
        Self {
            name: name(arguments, errors),
            zone: string(arguments, ArgName::Zone, errors),
        }
    }
}

fn name(arguments: &Arguments, errors: &mut Errors) -> Option<LitStr> {
    let name = string(arguments, ArgName::Name, errors)?;
    // The name goes into a Structured Fields string (RFC 9651, section 3.3.3): printable ASCII.
    if name.value().chars().any(|c| !matches!(c, ' '..='~')) {
        errors.at(
            name,
            "`name` goes into a header: write printable ASCII characters only",
        );
        return None;
    }
    Some(name)
}
