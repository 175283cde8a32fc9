//! The rules of a whole application as a configuration says them. The middleware makes its rule
//! table of them.

mod spec;

pub use self::spec::{IdentifierSpec, LimitSpec, PathsSpec, RouteRuleSpec};
