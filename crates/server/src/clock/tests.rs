use super::*;

const YEAR_MS: Millis = 365 * DAY_MS;

#[test]
fn a_clock_waits_where_the_systems_went_back_a_little() {
    let clock = Clock::of(0);
    let before = clock.now();
    clock.set_by(-30_000);
    assert!(clock.now() >= before, "no moment comes twice");
    assert_eq!(clock.goes_back(), None);
}

#[test]
fn a_clock_that_leapt_goes_back_with_the_systems() {
    let clock = Clock::of(read_system() - HOUR_MS);
    let before = clock.now();
    clock.set_by(DAY_MS);
    clock.look();
    assert_eq!(clock.goes_back(), None, "nobody can know it yet");
    clock.pass(30 * HOUR_MS);
    clock.look();
    clock.set_by(-DAY_MS);
    clock.look();
    let shifts = clock.goes_back().unwrap();
    let [Shift { after, by }] = shifts[..] else {
        panic!("{shifts:?}")
    };
    assert!((before..before + 1_000).contains(&after), "since the leap");
    assert!((DAY_MS - 1_000..=DAY_MS).contains(&by));
    clock.went_back(&shifts);
    let now = clock.now();
    let right = before + 30 * HOUR_MS;
    assert!((right..right + 60_000).contains(&now));
    assert_eq!(clock.goes_back(), None);
}

#[test]
fn what_was_ahead_since_the_start_goes_back_as_far_as_it_stays_in_order() {
    let system = read_system();
    // The store is of yesterday; the clock was a day ahead from the start.
    let clock = Clock::of(system - DAY_MS);
    clock.pass(HOUR_MS);
    clock.look();
    clock.set_by(-2 * DAY_MS);
    clock.look();
    let shifts = clock.goes_back().unwrap();
    assert_eq!(shifts.len(), 1);
    assert_eq!(shifts[0].after, system - DAY_MS, "since the start");
    assert!(shifts[0].by <= DAY_MS + 1_000, "not before what was there");
    clock.went_back(&shifts);
    let then = clock.now();
    clock.pass(HOUR_MS);
    assert!(clock.now() > then, "the time does not stand still");
    assert!(!clock.is_trusted());
}

#[test]
fn what_was_written_in_part_before_the_new_now_stays() {
    let clock = Clock::of(read_system() - HOUR_MS);
    clock.pass(30 * DAY_MS);
    clock.look();
    let before = clock.now();
    clock.set_by(-HOUR_MS);
    clock.look();
    assert_eq!(
        clock.goes_back(),
        Some(vec![]),
        "nothing is known to be wrong"
    );
    clock.go_on();
    assert_eq!(clock.goes_back(), None);
    clock.pass(HOUR_MS);
    assert!(clock.now() > before, "the time goes on");
    assert!(!clock.is_trusted());
    clock.pass(2 * HOUR_MS);
    clock.pass(DAY_MS);
    let _ = clock.now();
    assert!(clock.is_trusted(), "the system's has reached it");
}

#[test]
fn a_step_back_by_more_than_a_leap_of_long_ago_is_none_of_its_business() {
    let clock = Clock::of(read_system() - HOUR_MS);
    clock.set_by(HOUR_MS);
    clock.look();
    clock.pass(30 * DAY_MS);
    clock.look();
    clock.set_by(-5 * HOUR_MS);
    clock.look();
    assert_eq!(clock.goes_back(), Some(vec![]), "a month stays as it is");
}

#[test]
fn a_clock_behind_the_store_goes_on_from_it_until_the_systems_is_right() {
    let latest = read_system() + 11 * YEAR_MS;
    let clock = Clock::of(latest);
    assert_eq!(clock.look(), None);
    assert_eq!(clock.goes_back(), None, "nothing stored is touched");
    assert!(!clock.is_trusted());
    clock.pass(HOUR_MS);
    let now = clock.now();
    assert!(
        (latest + HOUR_MS..latest + 2 * HOUR_MS).contains(&now),
        "it goes on"
    );
    clock.set_by(11 * YEAR_MS + HOUR_MS);
    let system = clock.system();
    assert!(clock.now() >= system, "the system's is followed again");
    clock.look();
    assert!(!clock.is_trusted(), "it leapt");
    assert_eq!(clock.goes_back(), None);
}

#[test]
fn a_leap_that_no_look_saw_does_not_hold_the_time() {
    let clock = Clock::of(read_system() - HOUR_MS);
    let before = clock.now();
    clock.set_by(DAY_MS);
    let _ = clock.now();
    clock.set_by(-DAY_MS);
    clock.look();
    let shifts = clock.goes_back().unwrap();
    clock.went_back(&shifts);
    assert!(clock.now() < before + 60_000);
}

#[test]
fn by_a_clock_that_leapt_nothing_becomes_old_for_a_day() {
    let clock = Clock::of(read_system());
    assert_eq!(clock.look(), None);
    assert!(clock.is_trusted());
    clock.set_by(YEAR_MS);
    assert!(clock.look().is_some());
    assert!(!clock.is_trusted(), "a year may not have passed");
    assert!(!Clock::of(1_000_000).is_trusted(), "nor while it was off");
}

#[test]
fn a_laptop_that_sleeps_is_no_clock_that_leapt() {
    let clock = Clock::of(read_system());
    for _ in 0..30 {
        clock.pass(8 * HOUR_MS);
        assert_eq!(clock.look(), None);
        clock.pass(10 * HOUR_MS);
        assert_eq!(clock.look(), None);
    }
    assert!(clock.is_trusted());
}

#[test]
fn what_is_wrong_with_a_clock_is_said_until_it_is_over() {
    let says = |clock: &Clock| {
        clock.say();
        *clock.said.borrow()
    };
    let clock = Clock::of(read_system());
    assert_eq!(says(&clock), push::Clock::Right);
    clock.set_by(YEAR_MS);
    clock.look();
    assert_eq!(says(&clock), push::Clock::Leapt);
    clock.pass(DAY_MS + HOUR_MS);
    clock.look();
    assert_eq!(says(&clock), push::Clock::Right, "a day has passed");
    let clock = Clock::of(read_system() + YEAR_MS);
    assert_eq!(says(&clock), push::Clock::Behind);
    let clock = Clock::of(1_000_000);
    assert_eq!(says(&clock), push::Clock::Doubted, "it was off for long");
    let clock = Clock::of(read_system());
    clock.was_distrusted(HOUR_MS);
    assert_eq!(says(&clock), push::Clock::Doubted, "before it was started");
}
