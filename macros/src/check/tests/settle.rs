//! Tests of `settle`.

use quote::quote;

use super::support::{assert_errors, calls, errors_of};

#[test]
fn settle_expands_to_a_call() -> syn::Result<()> {
    for arguments in [
        quote!("5/s", settle),
        quote!("5/s", cost = 2, settle),
        quote!("5/s", cost = estimate, settle, shadow),
    ] {
        let rule = calls(arguments, quote!())?;
        assert!(rule.ends_with(".settle()"), "{rule}");
    }
    let rule = calls(quote!("5/s", cost = 2), quote!())?;
    assert!(!rule.contains("settle"), "{rule}");
    Ok(())
}

#[test]
fn settle_diagnostics_say_what_to_write() {
    for (arguments, start) in [
        (
            quote!(unlimited, group = "a", settle),
            "`unlimited` has no use for `settle`",
        ),
        (quote!("5/s", settle, settle), "`settle` is given twice"),
        (quote!("5/s", settle = true), "`settle` is a flag"),
        (
            quote!("5/s", setle),
            "unknown argument `setle`, did you mean `settle`?",
        ),
    ] {
        assert_errors(&errors_of(arguments), &[start]);
    }
}
