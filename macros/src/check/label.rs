//! `name` and `zone`: how a limit is named and in which zone it counts.

use actix_throttle_core::limit::range;
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
    if !range::is_name(&name.value()) {
        errors.at(name, range::NAME_RULE);
        return None;
    }
    Some(name)
}
