//! Reports the error of a limit at the argument that it is about.

use actix_throttle_core::limit::{LimitError, range::Subject};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::window::Window;
use crate::{
    args::{Argument, Arguments, Value},
    errors::Errors,
    name::ArgName,
};

/// Reports the error at the value of its argument.
pub(crate) fn report(arguments: &Arguments, error: LimitError, errors: &mut Errors) {
    errors.at(tokens(arguments, error.subject()), error);
}

/// Reports a message at the value of this argument.
pub(crate) fn report_at(arguments: &Arguments, name: ArgName, message: &str, errors: &mut Errors) {
    errors.at(arguments.named(name).map(value), message);
}

fn tokens(arguments: &Arguments, subject: Subject) -> TokenStream {
    let names: &[ArgName] = match subject {
        Subject::Times => &[ArgName::Times],
        Subject::Window => &Window::NAMES,
        Subject::TimeZone => &[ArgName::TimeZone],
        Subject::Algorithm => &[ArgName::Algorithm],
        Subject::Capacity => &[ArgName::Capacity],
        Subject::Refill => &[ArgName::Refill],
        Subject::Cost => &[ArgName::Cost],
        Subject::Block => &[ArgName::Block],
        Subject::Lease => &[ArgName::Lease],
        Subject::Max => &[ArgName::Max],
        Subject::Expiry => &[ArgName::Expiry],
        Subject::Name => &[ArgName::Name],
        Subject::Zone => &[ArgName::Zone],
        Subject::SlowAfter => &[ArgName::SlowAfter],
        Subject::SlowBy => &[ArgName::SlowBy],
        Subject::SlowMax => &[ArgName::SlowMax],
    };
    // The rate string gives times and window.
    if let (Subject::Times | Subject::Window, Some(rate)) = (subject, &arguments.rate) {
        return rate.to_token_stream();
    }
    let named = names.iter().filter_map(|name| arguments.named(*name));
    let values: TokenStream = named.map(value).collect();
    if values.is_empty() {
        arguments.anchor.clone()
    } else {
        values
    }
}

fn value(argument: &Argument) -> TokenStream {
    match &argument.value {
        Value::Assigned(value) => value.to_token_stream(),
        Value::Flag | Value::Reported => {
            let name = &argument.name;
            quote!(#name)
        }
    }
}
