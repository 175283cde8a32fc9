//! Tests of limits on one handler that would share a counter.

use quote::quote;

use super::support::{errors_on, own};
use crate::{attribute::AttrName, check::handler_rules::check, handler::Handler};

#[test]
fn two_limits_never_share_a_counter() {
    for (first, second, shared) in [
        (quote!("5/s"), quote!("9/s"), true),
        (quote!("5/s"), quote!("5/2s"), false),
        (quote!("5/60s"), quote!(times = 5, minutes = 1), true),
        (
            quote!("5/s"),
            quote!("5/s", algorithm = "sliding_window"),
            true,
        ),
        (
            quote!("5/s"),
            quote!("5/s", algorithm = "fixed_window"),
            false,
        ),
        (quote!("5/s"), quote!("5/s", shadow), false),
        (quote!("5/s"), quote!("5/s", zone = "a"), false),
        (quote!("5/s"), quote!("5/s", group = "a"), false),
        (
            quote!("5/s", identifier = BY_USER),
            quote!("5/s", identifier = BY_TENANT),
            false,
        ),
        (
            quote!("5/s", identifier = BY_USER),
            quote!("5/s", identifier = BY_USER),
            true,
        ),
        (
            quote!("5/s", identifier = ip),
            quote!("5/s", identifier = global),
            false,
        ),
        (
            quote!("5/s", identifier = header("A-B")),
            quote!("5/s", identifier = header("a-b"), name = "other"),
            true,
        ),
        (
            quote!("5/s", algorithm = "token_bucket", refill = "interval"),
            quote!("5/s", algorithm = "token_bucket"),
            false,
        ),
    ] {
        let text = format!("{first} {second}");
        let item = quote!(
            #[a::rate_limit(#second)]
            async fn handler() {}
        );
        let errors = errors_on(first, item);
        assert_eq!(errors.len(), usize::from(shared), "{text}: {errors:#?}");
    }
}

#[test]
fn windows_only_the_compiler_knows_are_left_to_it() -> syn::Result<()> {
    let item = quote!(
        #[rate_limit(times = 1, seconds = A)]
        async fn handler() {}
    );
    let Ok(handler) = Handler::parse(AttrName::RateLimit, item) else {
        return Ok(());
    };
    let rules = check(&own(quote!("5/s")), &handler)?;
    let pairs: Vec<_> = rules
        .deferred
        .iter()
        .map(|pair| (pair.first, pair.second))
        .collect();
    assert_eq!(pairs, [(0, 1)]);
    Ok(())
}
