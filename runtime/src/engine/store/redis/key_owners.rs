//! [`KeyOwners`]: the servers that hold the keys, as a scan has found them.

#[cfg(feature = "cluster")]
use super::connection::owners::Range;
use super::node::Node;
use crate::engine::store::interface::StoreError;

/// The servers that hold the keys.
#[derive(PartialEq)]
pub(super) enum KeyOwners {
    /// All keys are on one server.
    OneServer,
    /// Which masters own which slots of a cluster.
    #[cfg(feature = "cluster")]
    Ranges(Vec<Range>),
}

impl KeyOwners {
    /// Returns each server once.
    pub(super) fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        match self {
            Self::OneServer => Ok(vec![Node::One]),
            #[cfg(feature = "cluster")]
            Self::Ranges(ranges) => {
                let owners = Range::owners(ranges);
                if owners.is_empty() {
                    return Err(StoreError::new("the cluster names no masters"));
                }
                Ok(owners.into_iter().map(Node::Master).collect())
            }
        }
    }
}
