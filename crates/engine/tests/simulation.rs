//! Several clients, a server, a network that delays, cuts and loses, programs that crash, a server that is restored: after
//! every step and at rest everything is as it must be.
//!
//! `TULOU_SEED` is the first run's seed, `TULOU_SEEDS` how many runs there are; `TULOU_LONG` asks for very many. A plan that
//! fails is made shorter (`TULOU_SHORTENING` is in how many runs), printed and saved; `TULOU_PLAN` names a saved one to be replayed. `TULOU_TRACE` prints what goes
//! into the engines and what comes out.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails where it expects something else"
)]

#[path = "simulation/acts.rs"]
mod acts;
#[path = "simulation/chance.rs"]
mod chance;
#[path = "simulation/check.rs"]
mod check;
#[path = "simulation/client.rs"]
mod client;
#[path = "simulation/clock.rs"]
mod clock;
#[path = "simulation/commit.rs"]
mod commit;
#[path = "simulation/compare.rs"]
mod compare;
#[path = "simulation/ending.rs"]
mod ending;
#[path = "simulation/habits.rs"]
mod habits;
#[path = "simulation/looks.rs"]
mod looks;
#[path = "simulation/manage.rs"]
mod manage;
#[path = "simulation/may.rs"]
mod may;
#[path = "simulation/may_manage.rs"]
mod may_manage;
#[path = "simulation/meaning.rs"]
mod meaning;
#[path = "simulation/meaning_messages.rs"]
mod meaning_messages;
#[path = "simulation/memory.rs"]
mod memory;
#[path = "simulation/network.rs"]
mod network;
#[path = "simulation/oracle.rs"]
mod oracle;
#[path = "simulation/plan.rs"]
mod plan;
#[path = "simulation/publish.rs"]
mod publish;
#[path = "simulation/rights.rs"]
mod rights;
#[path = "simulation/room.rs"]
mod room;
#[path = "simulation/rules.rs"]
mod rules;
#[path = "simulation/server.rs"]
mod server;
#[path = "simulation/sight.rs"]
mod sight;
#[path = "simulation/store.rs"]
mod store;
#[path = "simulation/told.rs"]
mod told;
#[path = "simulation/weather.rs"]
mod weather;
#[path = "simulation/world.rs"]
mod world;

use std::{
    cell::RefCell,
    collections::BTreeSet,
    env, fs,
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use plan::Plan;
use tulou_protocol::{Command, command};

const SEEDS: u64 = 2_000;
/// Runs when nobody waits for them.
const LONG_SEEDS: u64 = 100_000;
/// So many runs have every command in them.
const ALL_COMMANDS: u64 = 100;
/// Runs to make a failing plan shorter.
const SHORTENING: u64 = 400;

thread_local! {
    /// What the last run of this thread failed with.
    static CAUSE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Methods of commands that changed something on a server.
static DONE: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

/// A command changed something.
pub fn note_done(command: &Command) {
    DONE.lock().unwrap().insert(command.method());
}

fn from_env(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// Why a plan fails, if it does.
fn failure(plan: &Plan) -> Option<String> {
    let run = panic::catch_unwind(AssertUnwindSafe(|| world::run(plan)));
    run.err().map(|_| CAUSE.take())
}

/// The part of a cause that says what went wrong, and not where ids differ.
fn place(cause: &str) -> &str {
    cause.lines().next().unwrap_or_default()
}

fn report(plan: Plan, cause: &str) -> String {
    let seed = plan.seed;
    let is_same =
        |shorter: &Plan| failure(shorter).is_some_and(|other| place(&other) == place(cause));
    let whole = plan.steps.len();
    let tries = from_env("TULOU_SHORTENING").unwrap_or(SHORTENING);
    let plan = plan.shrunk(tries, is_same);
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("simulation-{seed}.plan"));
    fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(&path, plan.to_string()).unwrap();
    format!(
        "{cause}\n\nThe plan, {} of {whole} steps:\n{plan}\n\
         replay with: TULOU_PLAN={} cargo test -p tulou-engine --test simulation -- --nocapture\n\
         or whole: TULOU_SEED={seed} TULOU_SEEDS=1 cargo test -p tulou-engine --test simulation -- --nocapture",
        plan.steps.len(),
        path.display()
    )
}

#[test]
fn at_rest_everything_agrees() {
    panic::set_hook(Box::new(|info| {
        let at = info.location().map(ToString::to_string).unwrap_or_default();
        let said = info.payload_as_str().unwrap_or_default();
        CAUSE.set(format!("at {at}\n{said}"));
    }));
    let found = search();
    drop(panic::take_hook());
    assert!(found.is_none(), "{}", found.unwrap_or_default());
}

/// The first failure that is found.
fn search() -> Option<String> {
    if let Ok(path) = env::var("TULOU_PLAN") {
        let plan: Plan = fs::read_to_string(path).unwrap().parse().unwrap();
        return failure(&plan);
    }
    let base = from_env("TULOU_SEED").unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        since.as_nanos() as u64 >> 10
    });
    let is_long = env::var_os("TULOU_LONG").is_some();
    let runs = from_env("TULOU_SEEDS").unwrap_or(if is_long { LONG_SEEDS } else { SEEDS });
    println!("{runs} runs from seed {base}");
    let next = AtomicU64::new(0);
    let found = Mutex::new(None);
    let work = || {
        while found.lock().unwrap().is_none() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= runs {
                return;
            }
            let plan = Plan::new(base + at);
            if let Some(cause) = failure(&plan) {
                found.lock().unwrap().get_or_insert((plan, cause));
            }
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let found = found.into_inner().unwrap();
    if found.is_none() && runs >= ALL_COMMANDS {
        let done = DONE.lock().unwrap();
        for method in command::METHODS {
            assert!(done.contains(method), "nobody does {method}");
        }
    }
    found.map(|(plan, cause)| {
        println!(
            "{} runs until seed {} failed",
            plan.seed - base + 1,
            plan.seed
        );
        report(plan, &cause)
    })
}

#[test]
fn a_saved_plan_reads_back() {
    let plan = Plan::new(7);
    assert_eq!(
        plan.to_string().parse(),
        Ok(plan),
        "what is saved can be replayed"
    );
}
