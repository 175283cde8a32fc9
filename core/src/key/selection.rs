//! The keys that an operation on many keys is about. The library and the command line scan a Redis
//! by it, and the in-memory store walks its table by it, so the three agree on what is meant.

use super::{
    KeyKind,
    parse::{KeyText, scan_pattern_in},
};
use crate::{limit::Limit, zone};

/// The counters, blocks and permits that are meant: by their identity, their zone and their kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySelection {
    /// The texts that a key may have for the identity; empty: every identity.
    identities: Vec<String>,
    /// The zones as keys have them; empty: every zone.
    zones: Vec<String>,
    kinds: KindSelection,
    permits: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum KindSelection {
    #[default]
    All,
    /// These counters in their zones, and the blocks that a denial by them starts.
    Counters(Vec<(String, KeyKind)>),
    Blocks,
}

impl KeySelection {
    /// Selects all counters and blocks. Permits are held by work that goes on, so they are not
    /// among them: see [`with_permits`](Self::with_permits).
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Selects the counters of one limit, and the blocks in its zone that it starts.
    #[must_use]
    pub fn of_limit(limit: &Limit) -> Self {
        Self::of_limits(std::slice::from_ref(limit))
    }

    /// Selects what [`of_limit`](Self::of_limit) does, for any of these limits.
    #[must_use]
    pub fn of_limits(limits: &[Limit]) -> Self {
        let counters = limits
            .iter()
            .map(|limit| (zone::written(limit.zone_name()), KeyKind::of_limit(limit)));
        let counters: Vec<_> = counters.collect();
        let mut zones: Vec<_> = counters.iter().map(|(zone, _)| zone.clone()).collect();
        zones.sort_unstable();
        zones.dedup();
        Self {
            zones,
            kinds: KindSelection::Counters(counters),
            ..Self::default()
        }
    }

    /// Keeps only the identity that keys write as one of these texts.
    #[must_use]
    pub fn of_identity(mut self, texts: Vec<String>) -> Self {
        self.identities = texts;
        self
    }

    /// Keeps only these zones, as the application names them; if there are none, every zone.
    #[must_use]
    pub fn in_zones<'z>(mut self, zones: impl IntoIterator<Item = &'z str>) -> Self {
        self.zones = zones.into_iter().map(zone::written).collect();
        self
    }

    /// Selects permits, too.
    #[must_use]
    pub fn with_permits(mut self) -> Self {
        self.permits = true;
        self
    }

    /// Keeps only blocks.
    #[must_use]
    pub fn only_blocks(mut self) -> Self {
        self.kinds = KindSelection::Blocks;
        self
    }

    /// Returns the pattern of `SCAN` that all selected keys match. Other keys may match it as well.
    #[must_use]
    pub fn scan_pattern(&self, prefix: &str) -> String {
        let zone = match self.zones.as_slice() {
            [zone] => Some(zone.as_str()),
            _ => None,
        };
        let start = common_start(&self.identities);
        scan_pattern_in(prefix, start, self.identities.len() == 1, zone)
    }

    /// Returns whether a key is selected.
    #[must_use]
    pub fn takes_text(&self, text: &KeyText<'_>) -> bool {
        let is_identity = |known: &String| known == text.identity;
        let is_meant = self.identities.is_empty() || self.identities.iter().any(is_identity);
        is_meant && self.takes(text.zone, text.kind)
    }

    /// Returns whether entries of this kind in this zone, written as keys have it, are selected,
    /// whatever identity is counted.
    #[must_use]
    pub fn takes(&self, zone: &str, kind: KeyKind) -> bool {
        if !self.zones.is_empty() && !self.zones.iter().any(|known| known == zone) {
            return false;
        }
        if let KeyKind::PermitTable { .. } = kind {
            return self.permits;
        }
        match (&self.kinds, kind) {
            (KindSelection::All, _) | (KindSelection::Blocks, KeyKind::Block { .. }) => true,
            (KindSelection::Counters(counters), kind) => {
                let mut counters = counters.iter().filter(|(known, _)| known == zone);
                counters.any(|(_, counter)| match kind {
                    KeyKind::Block { shadow } => shadow == counter.is_shadow(),
                    _ => kind == *counter,
                })
            }
            (KindSelection::Blocks, _) => false,
        }
    }
}

/// The longest text that all of these begin with.
fn common_start(texts: &[String]) -> &str {
    let Some((first, others)) = texts.split_first() else {
        return "";
    };
    let mut length = first.len();
    for other in others {
        let same = first.bytes().zip(other.bytes());
        length = length.min(same.take_while(|(one, two)| one == two).count());
    }
    // The texts of identities are ASCII.
    first.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::Identity,
        key::{Key, Naming},
    };

    const LOGIN: Limit = Limit::per_minute(5).zone("shop::handlers::login");

    fn takes(selection: &KeySelection, key: &str) -> bool {
        KeyText::parse(key, "p").is_some_and(|text| selection.takes_text(&text))
    }

    #[test]
    fn limits_are_selected_each_in_its_zone() {
        let month = Limit::per_day(9).zone("export");
        let selection = KeySelection::of_limits(&[LOGIN, month]);
        let kind = |limit: &Limit| KeyKind::of_limit(limit);
        let zone = |limit: &Limit| zone::written(limit.zone_name());
        assert!(selection.takes(&zone(&LOGIN), kind(&LOGIN)));
        assert!(selection.takes(&zone(&month), kind(&month)));
        assert!(!selection.takes(&zone(&LOGIN), kind(&month)));
        assert!(!selection.takes("other", kind(&LOGIN)));
        assert!(!KeySelection::of_limits(&[]).takes(&zone(&LOGIN), kind(&LOGIN)));
    }

    #[test]
    fn common_start_is_what_all_begin_with() {
        let texts =
            |texts: &[&str]| -> Vec<String> { texts.iter().map(ToString::to_string).collect() };
        for (all, start) in [
            (&["user=42"][..], "user=42"),
            (&["cookie.sid=#ab", "cookie.sid=ab"], "cookie.sid="),
            (&["ip=1-0", "ip=1-0-2", "ip=1"], "ip=1"),
            (&[], ""),
        ] {
            assert_eq!(common_start(&texts(all)), start);
        }
    }

    #[test]
    fn limit_selects_its_counters_and_blocks_of_every_identity() {
        let selection = KeySelection::of_limit(&LOGIN);
        let naming = Naming {
            prefix: "p".into(),
            plain: false,
        };
        for who in [Identity::new("ann"), Identity::global()] {
            for (limit, expected) in [
                (LOGIN, true),
                (LOGIN.shadow(), false),
                (Limit::per_hour(5).zone("shop::handlers::login"), false),
                (Limit::per_minute(5).zone("other"), false),
            ] {
                let key = Key::counter(&who, &limit);
                assert_eq!(takes(&selection, &key.text(&naming)), expected, "{key:?}");
            }
            let block = Key::counter(&who, &LOGIN).block();
            assert!(takes(&selection, &block.text(&naming)));
            let shadow = LOGIN.shadow();
            let block = Key::counter(&who, &shadow).block();
            assert!(!takes(&selection, &block.text(&naming)));
        }
        let pattern = selection.scan_pattern("p");
        assert_eq!(pattern, "p:{*}:cvTpwvgcY:*");
    }

    #[test]
    fn permits_are_selected_only_if_asked_for() {
        let permits = "p:{user=ann}:z:p";
        assert!(!takes(&KeySelection::all(), permits));
        assert!(takes(&KeySelection::all().with_permits(), permits));
        assert!(!takes(
            &KeySelection::all().only_blocks(),
            "p:{user=ann}:z:l60"
        ));
        assert!(takes(
            &KeySelection::all().only_blocks(),
            "p:{user=ann}:z:x"
        ));
    }

    #[test]
    fn identity_and_zones_narrow_the_selection() {
        let selection = KeySelection::all()
            .of_identity(Identity::key_texts("ann"))
            .in_zones(["z", "y*"]);
        assert!(takes(&selection, "p:{user=ann}:z:l60"));
        assert!(takes(&selection, "p:{user=ann}:y*:l60"));
        assert!(!takes(&selection, "p:{user=anna}:z:l60"));
        assert!(!takes(&selection, "p:{user=ann}:x:l60"));
        assert_eq!(selection.scan_pattern("p"), "p:{user=ann}:*");
        let one = KeySelection::all().in_zones(["y*"]);
        assert_eq!(one.scan_pattern("p"), "p:{*}:y\\*:*");
    }
}
