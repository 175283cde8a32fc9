//! What a limit is called, and where it counts.

use syn::LitStr;

use crate::{args::Arguments, errors::Errors, name::ArgName, value::string};

/// `name` and `zone`, as far as they are written.
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
    // It goes into a structured field (RFC 9651, section 3.3.3), which has no other characters.
    if name.value().chars().any(|c| !matches!(c, ' '..='~')) {
        errors.at(
            name,
            "`name` goes into a header: write printable ASCII characters only",
        );
        return None;
    }
    Some(name)
}
