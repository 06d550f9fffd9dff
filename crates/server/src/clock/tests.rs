use super::*;

const YEAR_MS: Millis = 365 * DAY_MS;
const HOUR_MS: Millis = 60 * 60 * 1_000;

fn clock_of(latest: Millis) -> Clock {
    Clock::of(latest, None)
}

/// Whether what becomes old now is removed.
fn is_trusted(clock: &Clock) -> bool {
    clock.old_by() + 1_000 > clock.now()
}

#[test]
fn a_clock_waits_where_the_systems_went_back_a_little() {
    let clock = clock_of(0);
    let before = clock.now();
    clock.set_by(-30_000);
    assert!(clock.now() >= before, "no moment comes twice");
    assert_eq!(clock.goes_back(), None);
}

#[test]
fn a_clock_that_leapt_goes_back_with_the_systems() {
    let clock = clock_of(read_system() - HOUR_MS);
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
    let clock = clock_of(system - DAY_MS);
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
    assert!(!is_trusted(&clock));
}

#[test]
fn what_was_written_in_part_before_the_new_now_stays() {
    let clock = clock_of(read_system() - HOUR_MS);
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
    assert!(!is_trusted(&clock));
    clock.pass(2 * HOUR_MS);
    clock.pass(DAY_MS);
    let _ = clock.now();
    assert!(is_trusted(&clock), "the system's has reached it");
}

#[test]
fn a_step_back_by_more_than_a_leap_of_long_ago_is_none_of_its_business() {
    let clock = clock_of(read_system() - HOUR_MS);
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
    let clock = clock_of(latest);
    assert_eq!(clock.look(), None);
    assert_eq!(clock.goes_back(), None, "nothing stored is touched");
    assert!(!is_trusted(&clock));
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
    assert!(!is_trusted(&clock), "it leapt");
    assert_eq!(clock.goes_back(), None);
}

#[test]
fn a_leap_that_no_look_saw_does_not_hold_the_time() {
    let clock = clock_of(read_system() - HOUR_MS);
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
    let clock = clock_of(read_system());
    assert_eq!(clock.look(), None);
    assert!(is_trusted(&clock));
    clock.set_by(YEAR_MS);
    assert!(clock.look().is_some());
    assert!(!is_trusted(&clock), "a year may not have passed");
    assert!(!is_trusted(&clock_of(1_000_000)), "nor while it was off");
}

#[test]
fn a_laptop_that_sleeps_is_no_clock_that_leapt() {
    let clock = clock_of(read_system());
    for _ in 0..30 {
        clock.pass(8 * HOUR_MS);
        assert_eq!(clock.look(), None);
        clock.pass(10 * HOUR_MS);
        assert_eq!(clock.look(), None);
    }
    assert!(is_trusted(&clock));
}

#[test]
fn a_leap_is_not_trusted_before_it_is_looked_at() {
    let clock = clock_of(read_system());
    assert!(is_trusted(&clock));
    clock.set_by(YEAR_MS);
    assert!(!is_trusted(&clock));
}

/// A server that ran before, and is started so long after that.
fn started_again(clock: &Clock, after: Millis) -> Clock {
    let (latest, kept) = (clock.now(), clock.state().doubt);
    // The system's clock cannot be set, so everything before goes back.
    let ahead = latest + after - read_system();
    let kept = kept.map(|doubt| Doubt {
        stood: doubt.stood - ahead,
        until: doubt.until - ahead,
    });
    Clock::of(latest - ahead, kept)
}

#[test]
fn a_server_that_runs_for_three_quarters_of_an_hour_each_evening_is_trusted_again() {
    let mut clock = clock_of(read_system());
    clock.set_by(YEAR_MS);
    clock.look();
    let evenings = (0..30).filter(|_| {
        clock = started_again(&clock, DAY_MS - HOUR_MS);
        clock.pass(HOUR_MS * 3 / 4);
        clock.look();
        is_trusted(&clock)
    });
    assert!(evenings.count() >= 29);
}

#[test]
fn a_server_that_runs_each_other_saturday_removes_what_was_old_the_last_time() {
    let mut clock = clock_of(read_system() - 14 * DAY_MS);
    for _ in 0..10 {
        clock.pass(6 * HOUR_MS);
        clock.look();
        let last = clock.now();
        clock = started_again(&clock, 14 * DAY_MS);
        let since = clock.now() - clock.old_by();
        assert!(last > 0 && !is_trusted(&clock), "it may be ahead");
        assert!(
            (13 * DAY_MS..14 * DAY_MS + HOUR_MS).contains(&since),
            "it was not ahead then, or nobody minds"
        );
    }
}

#[test]
fn a_machine_that_is_paused_each_night_is_trusted() {
    let clock = clock_of(read_system());
    for _ in 0..30 {
        clock.pass(14 * HOUR_MS);
        clock.look();
        clock.set_by(10 * HOUR_MS);
        assert!(is_trusted(&clock));
        clock.look();
        assert!(is_trusted(&clock));
    }
}

#[test]
fn a_second_leap_does_not_make_the_first_one_right() {
    let clock = clock_of(read_system());
    let before = clock.now();
    for _ in 0..3 {
        clock.set_by(YEAR_MS);
        assert!(clock.old_by() < before + HOUR_MS);
        clock.look();
        assert!(clock.old_by() < before + HOUR_MS);
        clock.pass(HOUR_MS);
        clock.look();
    }
    let again = started_again(&clock, 0);
    assert!(
        !is_trusted(&again),
        "a restart does not make it right, either"
    );
}

#[test]
fn a_leap_that_is_undone_is_doubted_for_a_day_at_most() {
    let clock = clock_of(read_system() - HOUR_MS);
    clock.set_by(YEAR_MS);
    clock.look();
    clock.set_by(-YEAR_MS);
    clock.look();
    let shifts = clock.goes_back().unwrap();
    clock.went_back(&shifts);
    clock.look();
    clock.pass(DAY_MS + HOUR_MS);
    clock.look();
    assert!(is_trusted(&clock));
}

#[test]
fn a_clock_that_is_set_nearer_is_waited_for() {
    let clock = clock_of(read_system() + 2 * DAY_MS);
    // It began at 1970, and is set right.
    clock.set_by(-50 * YEAR_MS);
    clock.go_on();
    clock.set_by(50 * YEAR_MS);
    clock.look();
    assert_eq!(clock.goes_back(), None);
    let system = clock.system();
    clock.pass(5 * DAY_MS);
    let now = clock.now();
    assert!(
        now < system + 5 * DAY_MS + HOUR_MS,
        "the system's is followed"
    );
}

#[test]
fn what_is_wrong_with_a_clock_is_said_until_it_is_over() {
    let says = |clock: &Clock| {
        clock.say();
        *clock.said.borrow()
    };
    let clock = clock_of(read_system());
    assert_eq!(says(&clock), push::Clock::Right);
    clock.set_by(YEAR_MS);
    clock.look();
    assert_eq!(says(&clock), push::Clock::Leapt);
    clock.pass(DAY_MS + HOUR_MS);
    clock.look();
    assert_eq!(says(&clock), push::Clock::Right, "a day has passed");
    let clock = clock_of(read_system() + YEAR_MS);
    assert_eq!(says(&clock), push::Clock::Behind);
    let clock = clock_of(1_000_000);
    assert_eq!(says(&clock), push::Clock::Doubted, "it was off for long");
    let doubt = Doubt {
        stood: read_system() - YEAR_MS,
        until: read_system() + HOUR_MS,
    };
    let clock = Clock::of(read_system(), Some(doubt));
    assert_eq!(says(&clock), push::Clock::Doubted, "before it was started");
}
