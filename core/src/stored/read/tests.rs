use super::*;

const KEYS: [&str; 2] = ["throttle:{user=ann}:z:f60", "throttle:{user=ann}:z:l60"];

/// Reads both keys with these replies to the first round trip.
fn reading(replies: [Reply; 4]) -> StoredReading {
    let mut reading = StoredReading::new(KEYS, "throttle", &KeySelection::all(), 0);
    assert_eq!(reading.commands().len(), 4);
    reading.feed(replies);
    reading
}

#[test]
fn expired_key_is_not_missed() {
    let gone = || (Reply::Number(-2), Reply::Nil);
    let reading = reading([gone().0, gone().1, Reply::Number(-2), Reply::Number(0)]);
    assert!(!reading.has_missed());
    assert!(reading.into_entries().is_empty());
}

#[test]
fn refused_command_misses_the_key() {
    for refused in 0..4 {
        let mut replies = [
            Reply::Number(1),
            Reply::Bytes(vec![0; 11]),
            Reply::Number(1),
            Reply::Number(2),
        ];
        replies[refused] = Reply::Refused;
        let reading = reading(replies);
        assert!(reading.has_missed(), "{refused}");
        assert_eq!(reading.into_entries().len(), 1, "{refused}");
    }
}

#[test]
fn refused_look_into_a_log_is_no_usage() {
    let log = [Reply::Number(1), Reply::Number(2)];
    let mut reading = reading([
        Reply::Number(-2),
        Reply::Nil,
        log[0].clone(),
        log[1].clone(),
    ]);
    assert_eq!(reading.commands().len(), 1);
    reading.feed([Reply::Refused]);
    assert!(reading.has_missed());
    let entries = reading.into_entries();
    assert_eq!(entries[0].state, EntryState::Unreadable, "{entries:?}");
}
