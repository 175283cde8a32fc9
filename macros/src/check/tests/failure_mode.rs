//! Tests of `failure_mode`: its values and their expansion.

use quote::quote;

use super::support::{assert_errors, calls, errors_of};

#[test]
fn each_word_is_the_mode_of_that_name() -> syn::Result<()> {
    for (word, mode) in [("open", "Open"), ("closed", "Closed"), ("local", "Local")] {
        let rule = calls(quote!("5/s", failure_mode = #word), quote!())?;
        let call = format!(".failure_mode(::actix_throttle::__private::FailureMode::{mode})");
        assert!(rule.ends_with(&call), "{rule}");
    }
    Ok(())
}

#[test]
fn without_it_the_mode_is_the_limiters() -> syn::Result<()> {
    let rule = calls(quote!("5/s"), quote!())?;
    assert!(!rule.contains("failure_mode"), "{rule}");
    Ok(())
}

#[test]
fn any_other_value_is_an_error_with_an_example() {
    for (value, start) in [
        (
            quote!("close"),
            "unknown failure_mode `close`, did you mean `closed`? Valid are `open`, `closed`, `local`",
        ),
        (
            quote!("Open"),
            "unknown failure_mode `Open`, did you mean `open`?",
        ),
        (
            quote!("deny"),
            "unknown failure_mode `deny`: valid are `open`, `closed`, `local`",
        ),
        (quote!(""), "`failure_mode` is empty"),
        (
            quote!(503),
            "`failure_mode` takes a string literal: write `failure_mode = \"closed\"`",
        ),
        (
            quote!(local),
            "`failure_mode` takes a string literal: write `failure_mode = \"local\"`",
        ),
        (
            quote!(actix_throttle::FailureMode::Open),
            "`failure_mode` takes a string literal: write `failure_mode = \"open\"`",
        ),
        (
            quote!(MODE),
            "`failure_mode` takes a string literal: write `failure_mode = \"closed\"`",
        ),
    ] {
        assert_errors(&errors_of(quote!("5/s", failure_mode = #value)), &[start]);
    }
    assert_errors(
        &errors_of(quote!("5/s", failure_mode)),
        &["`failure_mode` needs a value: write `failure_mode = \"closed\"`"],
    );
}

#[test]
fn its_error_hides_no_other() {
    assert_errors(
        &errors_of(quote!(times = 0, seconds = 5, failure_mode = "opne")),
        &[
            "`times` must be from 1 to 1,000,000,000",
            "unknown failure_mode `opne`, did you mean `open`?",
        ],
    );
}
