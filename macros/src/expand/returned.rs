//! The handler's return type, as a type annotation for its body.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    GenericArgument, Generics, PathArguments, ReturnType, Type, TypeImplTrait, TypeParamBound,
    parse_quote,
};

use super::generic::speaks_of;

/// The return type, as far as an expression can name it.
pub(crate) struct Returned {
    /// The type, with `_` for each `impl Trait` and for `!`, which the compiler infers.
    pub(crate) ty: Type,
    /// The replaced `impl Trait` types.
    hidden: Vec<TypeImplTrait>,
}

impl Returned {
    pub(crate) fn new(output: &ReturnType) -> Self {
        let mut returned = Self {
            ty: parse_quote!(()),
            hidden: Vec::new(),
        };
        if let ReturnType::Type(_, ty) = output {
            let mut ty = (**ty).clone();
            infer(&mut ty, &mut returned.hidden);
            returned.ty = ty;
        }
        returned
    }

    /// Emits items that name the traits of the replaced types. Missing imports are then errors, and
    /// existing ones stay in use.
    pub(crate) fn uses(&self, generics: &Generics) -> TokenStream {
        let uses = self.hidden.iter().enumerate().map(|(index, hidden)| {
            let bounds = hidden.bounds.iter();
            let bounds = bounds.filter(|it| !matches!(it, TypeParamBound::PreciseCapture(_)));
            let bounds: Vec<_> = bounds.collect();
            if !speaks_of(generics, quote!(#(#bounds)*)) {
                let name = format_ident!("__throttle_returns_{index}");
                return quote!(fn #name<T: #(#bounds)+*>(_: T) {});
            }
            // An item cannot use the handler's generic parameters, so only import the traits.
            let traits = bounds.into_iter().filter_map(|bound| match bound {
                TypeParamBound::Trait(bound) => Some(&bound.path),
                _ => None,
            });
            let names = traits.map(|path| {
                let (colon, segments) = (path.leading_colon, &path.segments);
                let idents = segments.iter().map(|segment| &segment.ident);
                quote! {
                    #[allow(unused_imports)]
                    use #colon #(#idents)::* as _;
                }
            });
            names.collect()
        });
        uses.collect()
    }
}

fn infer(ty: &mut Type, hidden: &mut Vec<TypeImplTrait>) {
    match ty {
        Type::ImplTrait(it) => {
            hidden.push(it.clone());
            *ty = parse_quote!(_);
        }
        Type::Never(_) => *ty = parse_quote!(_),
        Type::Array(array) => infer(&mut array.elem, hidden),
        Type::Group(group) => infer(&mut group.elem, hidden),
        Type::Paren(paren) => infer(&mut paren.elem, hidden),
        Type::Reference(reference) => infer(&mut reference.elem, hidden),
        Type::Slice(slice) => infer(&mut slice.elem, hidden),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(|ty| infer(ty, hidden)),
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else {
                    continue;
                };
                for argument in &mut arguments.args {
                    if let GenericArgument::Type(ty) = argument {
                        infer(ty, hidden);
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn text(tokens: impl ToTokens) -> String {
        tokens.to_token_stream().to_string().replace(' ', "")
    }

    #[test]
    fn what_is_not_named_is_inferred() {
        for (output, expected) in [
            (parse_quote!(), "()"),
            (parse_quote!(-> impl Responder + use<>), "_"),
            (parse_quote!(-> Self), "Self"),
            (
                parse_quote!(-> Result<(impl Responder, StatusCode), Error<T>>),
                "Result<(_,StatusCode),Error<T>>",
            ),
            (
                parse_quote!(-> Option<&'static [impl Serialize; 2]>),
                "Option<&'static[_;2]>",
            ),
        ] {
            assert_eq!(text(Returned::new(&output).ty), expected);
        }
    }

    #[test]
    fn hidden_traits_are_named() {
        let generics = parse_quote!(<'a, T>);
        for (output, expected) in [
            (parse_quote!(-> String), ""),
            (
                parse_quote!(-> impl a::B<C> + 'static + use<>),
                "fn__throttle_returns_0<T:a::B<C>+'static>(_:T){}",
            ),
            (
                parse_quote!(-> Result<impl ::a::B<T>, T>),
                "#[allow(unused_imports)]use::a::Bas_;",
            ),
            (
                parse_quote!(-> impl B<Item = Self> + 'a),
                "#[allow(unused_imports)]useBas_;",
            ),
        ] {
            assert_eq!(text(Returned::new(&output).uses(&generics)), expected);
        }
    }
}
