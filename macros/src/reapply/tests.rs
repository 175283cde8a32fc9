//! Tests of the order in which attributes and conditions are resolved.

use syn::parse_quote;

use super::*;

fn reapplied(arguments: TokenStream, item: TokenStream) -> Option<String> {
    let handler = Handler::parse(AttrName::RateLimit, item)
        .ok()
        .expect("a handler");
    let own = Own::parse(arguments);
    reapply(&handler, &own, &parse_quote!(::t)).map(|tokens| tokens.to_string())
}

fn assert_reapplied(arguments: TokenStream, item: TokenStream, expected: TokenStream) {
    assert_eq!(reapplied(arguments, item), Some(expected.to_string()));
}

#[test]
fn inert_attributes_are_no_reason() {
    let item = quote! {
        /// Documented.
        #[allow(unused)]
        #[inline]
        #[clippy::msrv = "1.89"]
        #[rustfmt::skip]
        #[cfg_attr(test, allow(unused), doc = "x")]
        #[rate_limit("6/m")]
        async fn h(#[allow(unused)] a: A) {}
    };
    assert_eq!(reapplied(quote!("5/s"), item), None);
}

#[test]
fn goes_below_other_macros_once() {
    let foreign = quote!(#[get("/")] #[allow(unused)] #[cfg_attr(x, utoipa::path(a))]);
    assert_reapplied(
        quote!("5/s"),
        quote!(#[rate_limit("6/m")] #foreign async fn h() {}),
        quote!(#foreign #[::t::rate_limit(__put_last, "5/s")] #[rate_limit("6/m")] async fn h() {}),
    );
    let again = quote!(#foreign #[rate_limit("6/m")] async fn h() {});
    assert_eq!(reapplied(quote!(__put_last, "5/s"), again), None);
}

#[test]
fn conditions_of_arguments_are_resolved_one_after_the_other() {
    assert_reapplied(
        quote!("5/s"),
        quote!(
            async fn h(#[cfg(x)] a: A, #[cfg(y)] b: B) {}
        ),
        quote! {
            #[cfg(x)]
            #[::t::rate_limit("5/s")]
            async fn h(a: A, #[cfg(y)] b: B) {}
            #[cfg(not(x))]
            #[::t::rate_limit("5/s")]
            async fn h(#[cfg(y)] b: B) {}
        },
    );
    assert_reapplied(
        quote!(__put_last, "5/s"),
        quote!(
            async fn h(#[cfg_attr(x, cfg(y), allow(unused))] a: A) {}
        ),
        quote! {
            #[cfg(x)]
            #[::t::rate_limit(__put_last, "5/s")]
            async fn h(#[cfg(y)] #[allow(unused)] a: A) {}
            #[cfg(not(x))]
            #[::t::rate_limit(__put_last, "5/s")]
            async fn h(a: A) {}
        },
    );
}

#[test]
fn attribute_of_ours_that_may_be_there_is_resolved_in_its_place() {
    assert_reapplied(
        quote!("5/s"),
        quote! {
            #[rate_limit("6/m")]
            #[cfg_attr(x, concurrency_limit(max = 1))]
            #[rate_limit("7/h")]
            async fn h() {}
        },
        quote! {
            #[cfg(x)]
            #[::t::rate_limit("5/s")]
            #[rate_limit("6/m")]
            #[concurrency_limit(max = 1)]
            #[rate_limit("7/h")]
            async fn h() {}
            #[cfg(not(x))]
            #[::t::rate_limit("5/s")]
            #[rate_limit("6/m")]
            #[rate_limit("7/h")]
            async fn h() {}
        },
    );
}
