//! Tests of `max_wait`: its values and their expansion.

use quote::quote;

use super::support::{assert_errors, calls, errors_of};

#[test]
fn it_is_counted_in_microseconds() -> syn::Result<()> {
    for (text, micros) in [
        ("500ms", "500000"),
        ("1ms", "1000"),
        ("1s 500us", "1000500"),
        ("24h", "86400000000"),
    ] {
        let rule = calls(quote!("5/s", lease = 5, max_wait = #text), quote!())?;
        let call = format!(".max_wait(::core::time::Duration::from_micros({micros}))");
        assert!(rule.ends_with(&call), "{rule}");
    }
    Ok(())
}

#[test]
fn without_max_wait_no_request_waits() -> syn::Result<()> {
    let rule = calls(quote!("5/s"), quote!())?;
    assert!(!rule.contains("wait"), "{rule}");
    Ok(())
}

#[test]
fn any_other_value_is_an_error_with_an_example() {
    let range = "`max_wait` must be from 1 millisecond to 24 hours; leave it out to deny at once";
    let string = "`max_wait` takes a string literal: write `max_wait = \"500ms\"`";
    for (value, start) in [
        (quote!("0s"), range),
        (quote!("999us"), range),
        (quote!("24h 1ms"), range),
        (quote!("5"), "not a duration:"),
        (quote!("soon"), "not a duration:"),
        (quote!(""), "`max_wait` is empty"),
        (quote!(500), string),
        (quote!(WAIT), string),
    ] {
        assert_errors(&errors_of(quote!("5/s", max_wait = #value)), &[start]);
    }
    assert_errors(
        &errors_of(quote!("5/s", max_wait)),
        &["`max_wait` needs a value: write `max_wait = \"500ms\"`"],
    );
}
