//! A model check of all interleavings of the state machine, against an independent model.

use std::collections::HashSet;

use super::*;

const THRESHOLD: u32 = 2;
const SILENCE: Micros = 2;
const FIRST: Micros = 1;
const LONGEST: Micros = 2;
const VERIFICATION: Micros = 2;
/// Long enough for several incidents in a row, two pauses and a verification that is given up.
const HORIZON: Micros = 8;
/// Sources of evidence at one time: calls, attempts to connect and verifications.
const ACTORS: usize = 3;

fn settings() -> BreakerSettings {
    BreakerSettings {
        threshold: THRESHOLD,
        silence: SILENCE,
        first_pause: FIRST,
        longest_pause: LONGEST,
        verification: VERIFICATION,
        jitter: |pause| pause,
    }
}

/// A source of evidence; its evidence began at `began`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Actor {
    Away,
    Asking { began: Micros },
    Probing { began: Micros, probe: Probe },
}

/// An independent model of the circuit: it keeps the whole history since the last decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Model {
    /// The times at which the incidents that count were noticed.
    incidents: Vec<Micros>,
    outage: Option<Outage>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Outage {
    pauses: u32,
    /// The end of the latest pause.
    until: Micros,
    /// The current verification: when it began, when it is given up, and the actor that probes.
    verification: Option<(Micros, Micros, Option<usize>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SearchState {
    state: BreakerState,
    now: Micros,
    actors: [Actor; ACTORS],
    model: Model,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Time,
    /// A request asks for permission.
    Asks(usize),
    /// A connection's task begins a verification, if one is due.
    Verifies(usize),
    /// A connection's task begins to connect, whatever the state of the circuit.
    Connects(usize),
    Decides(usize),
    Fails(usize),
    /// An actor ends without evidence.
    Leaves(usize),
    WaitsInVain,
}

fn breaker(state: BreakerState) -> Breaker {
    let breaker = Breaker::new(settings());
    breaker.step(|current| *current = state);
    breaker
}

/// Explores every order in which three calls, attempts to connect and verifications can begin,
/// decide, fail or end while time passes. Each method is one step under a lock, so these are all
/// the interleavings that threads can cause.
#[test]
fn every_interleaving_does_what_the_model_says() {
    let start = SearchState {
        state: BreakerState::Closed(None),
        now: 1,
        actors: [Actor::Away; ACTORS],
        model: Model {
            incidents: Vec::new(),
            outage: None,
        },
    };
    let mut seen = HashSet::from([start.clone()]);
    let mut open = vec![start];
    let mut states = HashSet::new();
    while let Some(reached) = open.pop() {
        states.insert(breaker(reached.state).state());
        for event in events(&reached) {
            if let Some(next) = step(reached.clone(), event)
                && seen.insert(next.clone())
            {
                open.push(next);
            }
        }
    }
    assert_eq!(states.len(), 3, "all states are reached");
    assert!(seen.len() > 100_000, "only {} worlds", seen.len());
}

fn events(reached: &SearchState) -> Vec<Event> {
    let mut events = vec![Event::Time, Event::WaitsInVain];
    // Idle actors are interchangeable, so only the first of them begins something.
    let away = reached
        .actors
        .iter()
        .position(|actor| *actor == Actor::Away);
    if let Some(index) = away {
        events.extend([
            Event::Asks(index),
            Event::Verifies(index),
            Event::Connects(index),
        ]);
    }
    for (index, actor) in reached.actors.iter().enumerate() {
        if *actor != Actor::Away {
            events.extend([
                Event::Decides(index),
                Event::Fails(index),
                Event::Leaves(index),
            ]);
        }
    }
    events
}

fn step(mut reached: SearchState, event: Event) -> Option<SearchState> {
    let breaker = breaker(reached.state);
    let now = reached.now;
    let model = &mut reached.model;
    match event {
        Event::Time => {
            reached.now += 1;
            return (reached.now <= HORIZON).then_some(reached);
        }
        Event::Asks(index) => {
            let permission = breaker.permit(|| now);
            assert_eq!(
                matches!(permission, Permission::Permitted),
                model.outage.is_none()
            );
            reached.actors[index] = match permission {
                Permission::Permitted => Actor::Asking { began: now },
                Permission::Probe(probe) => {
                    model.probe(index, now);
                    Actor::Probing { began: now, probe }
                }
                Permission::Rejected(wait) => {
                    assert_eq!(model.rejects_for(now), Some(wait));
                    Actor::Away
                }
            };
        }
        Event::Verifies(index) => {
            let begins = breaker.begin_verification(now);
            assert_eq!(begins, model.verifies(now));
            if begins {
                reached.actors[index] = Actor::Asking { began: now };
            }
        }
        Event::Connects(index) => reached.actors[index] = Actor::Asking { began: now },
        Event::Decides(index) => {
            let transition = breaker.decided();
            let expected = model.outage.as_ref().map(|_| Transition::Closed);
            assert_eq!(transition, expected);
            *model = Model {
                incidents: Vec::new(),
                outage: None,
            };
            reached.actors[index] = Actor::Away;
        }
        Event::Fails(index) => {
            let (Actor::Asking { began } | Actor::Probing { began, .. }) = reached.actors[index]
            else {
                return None;
            };
            let transition = breaker.incident(began, now);
            assert_eq!(transition, model.fails(began, now));
            if let Actor::Probing { probe, .. } = reached.actors[index] {
                breaker.probe_dropped(probe, now);
                model.leaves(index, now);
            }
            reached.actors[index] = Actor::Away;
        }
        Event::Leaves(index) => {
            if let Actor::Probing { probe, .. } = reached.actors[index] {
                breaker.probe_dropped(probe, now);
                model.leaves(index, now);
            }
            reached.actors[index] = Actor::Away;
        }
        Event::WaitsInVain => {
            let transition = breaker.deadline_passed(now);
            let expected = match model.outage {
                None => model.open_if_due(now),
                Some(_) => None,
            };
            assert_eq!(transition, expected);
        }
    }
    // More incidents at one moment change nothing, and would make the state space infinite.
    if reached.model.incidents.len() > THRESHOLD as usize + 1 {
        return None;
    }
    reached.state = *breaker.state.lock();
    assert_eq!(
        breaker.is_calm(),
        reached.state == BreakerState::Closed(None)
    );
    Some(reached)
}

impl Model {
    /// Returns the wait of a request that may neither pass nor probe.
    fn rejects_for(&self, now: Micros) -> Option<Micros> {
        let outage = self.outage.as_ref()?;
        match outage.verification {
            Some((_, given_up, _)) => (now < given_up).then(|| given_up - now),
            None if now < outage.until => Some(outage.until - now),
            // Only the tasks of the connections may verify for a while.
            None => (now < outage.until + VERIFICATION).then_some(0),
        }
    }

    fn probe(&mut self, index: usize, now: Micros) {
        assert_eq!(self.rejects_for(now), None, "it may probe");
        let outage = self.outage.as_mut().expect("the circuit is open");
        outage.verification = Some((now, now + VERIFICATION, Some(index)));
    }

    fn verifies(&mut self, now: Micros) -> bool {
        let Some(outage) = &mut self.outage else {
            return false;
        };
        if outage.verification.is_none() && now >= outage.until {
            outage.verification = Some((now, now + VERIFICATION, None));
        }
        outage.verification.is_some()
    }

    fn fails(&mut self, began: Micros, now: Micros) -> Option<Transition> {
        let Some(outage) = &mut self.outage else {
            let is_independent = self.incidents.last().is_none_or(|latest| began >= *latest);
            if is_independent {
                self.incidents.push(now);
            }
            return self.open_if_due(now);
        };
        let (since, ..) = outage.verification?;
        if began < since {
            return None;
        }
        outage.pauses += 1;
        let pause = (FIRST << (outage.pauses - 1)).min(LONGEST);
        outage.until = now + pause;
        outage.verification = None;
        // Pauses do not grow beyond the longest, so counting further would only add states.
        outage.pauses = outage.pauses.min(2);
        Some(Transition::Reopened { pause })
    }

    fn open_if_due(&mut self, now: Micros) -> Option<Transition> {
        let incidents = u32::try_from(self.incidents.len()).expect("few");
        let first = *self.incidents.first()?;
        if incidents < THRESHOLD || now - first < SILENCE {
            return None;
        }
        self.incidents.clear();
        self.outage = Some(Outage {
            pauses: 1,
            until: now + FIRST,
            verification: None,
        });
        let pause = FIRST;
        Some(Transition::Opened { incidents, pause })
    }

    fn leaves(&mut self, index: usize, now: Micros) {
        if let Some(outage) = &mut self.outage
            && let Some((_, given_up, prober)) = &mut outage.verification
            && *prober == Some(index)
        {
            (*given_up, *prober) = (now, None);
        }
    }
}
