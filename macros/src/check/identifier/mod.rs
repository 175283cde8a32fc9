//! `identifier = ...`: the key that a limit counts requests by.

mod advice;
mod keywords;
mod parse;

pub(crate) use self::parse::Identifier;
