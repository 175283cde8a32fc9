//! The state of a cluster as one of its nodes reports it.

use std::ops::RangeInclusive;

use crate::Server;

/// The answer of one node to `CLUSTER NODES`.
#[derive(Debug)]
pub(super) struct View {
    pub(super) nodes: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node {
    pub(super) port: u16,
    pub(super) id: String,
    /// The flags, such as `master`, `slave`, `fail?` and `handshake`, without `myself`.
    pub(super) flags: Vec<String>,
    /// The slot ranges that the node owns, without slots that are being migrated.
    pub(super) slots: Vec<(u16, u16)>,
}

impl View {
    pub(super) fn of(server: &Server) -> Result<View, String> {
        let text: String = server
            .try_cli(&["CLUSTER", "NODES"])
            .map_err(|error| error.to_string())?;
        let nodes = text.lines().map(Node::parse).collect::<Option<_>>();
        nodes
            .map(|nodes| View { nodes })
            .ok_or_else(|| format!("not understood: {text}"))
    }

    pub(super) fn node(&self, port: u16) -> Option<&Node> {
        self.nodes.iter().find(|node| node.port == port)
    }
}

impl Node {
    /// Parses one line of `CLUSTER NODES`:
    ///
    /// `ID 127.0.0.1:20001@30001 myself,master - 0 0 1 connected 0-5460 5462 [93->-OTHERID]`
    fn parse(line: &str) -> Option<Node> {
        let words: Vec<_> = line.split(' ').collect();
        let [id, address, flags, _, _, _, _, _, ref slots @ ..] = words[..] else {
            return None;
        };
        let (_, port) = address.split_once('@')?.0.rsplit_once(':')?;
        Some(Node {
            port: port.parse().ok()?,
            id: id.to_owned(),
            flags: flags
                .split(',')
                .filter(|flag| *flag != "myself")
                .map(str::to_owned)
                .collect(),
            slots: slots
                .iter()
                .filter(|range| !range.is_empty() && !range.starts_with('['))
                .map(|range| {
                    let (first, last) = range.split_once('-').unwrap_or((range, range));
                    Some((first.parse().ok()?, last.parse().ok()?))
                })
                .collect::<Option<_>>()?,
        })
    }

    pub(super) fn owns(&self, slot: u16) -> bool {
        self.slots
            .iter()
            .any(|(first, last)| RangeInclusive::new(*first, *last).contains(&slot))
    }

    pub(super) fn is_master(&self) -> bool {
        self.flags.iter().any(|flag| flag == "master")
    }
}
