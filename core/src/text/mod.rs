//! The text formats that the attribute, a configuration file and code at run time share: each is
//! parsed here alone, so its errors read alike everywhere.

pub mod duration;
pub mod redis_url;
pub mod suggest;
pub mod unit;
pub mod word;
