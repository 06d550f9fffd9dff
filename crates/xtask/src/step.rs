//! Steps with a name, a duration and a command that repeats or mends them.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use crate::repo;

/// What to tell the person when a step fails.
pub enum Remedy {
    /// The command that mends it.
    Mend(&'static str),
    /// The command that repeats it.
    Repeat(String),
}

/// Steps that were taken.
#[derive(Default)]
pub struct Steps {
    /// Steps whose name does not contain this are left out.
    only: Option<String>,
    passed: Vec<(String, Duration)>,
    failed: Vec<(String, String)>,
}

impl Steps {
    /// Steps of which only those are taken whose name contains `only`, if there is one.
    pub fn only(only: Option<String>) -> Self {
        Self {
            only,
            ..Self::default()
        }
    }

    /// Runs a command as a step.
    pub fn run(&mut self, name: &str, command: Command, remedy: Option<&'static str>) -> bool {
        let remedy = match remedy {
            Some(mend) => Remedy::Mend(mend),
            None => Remedy::Repeat(repo::as_typed(&command)),
        };
        self.take(name, remedy, || repo::finish(command))
    }

    /// Takes a step.
    pub fn take(
        &mut self,
        name: &str,
        remedy: Remedy,
        step: impl FnOnce() -> anyhow::Result<()>,
    ) -> bool {
        if self.only.as_ref().is_some_and(|only| !name.contains(only)) {
            return true;
        }
        println!("==> {name}");
        let start = Instant::now();
        let outcome = step();
        let took = start.elapsed();
        match outcome {
            Ok(()) => {
                println!("    {name}: passed in {:.1} s", took.as_secs_f64());
                self.passed.push((name.to_owned(), took));
                true
            }
            Err(error) => {
                let remedy = match remedy {
                    Remedy::Mend(command) => format!("mend it with: {command}"),
                    Remedy::Repeat(command) => format!("repeat it with: {command}"),
                };
                println!(
                    "    {name}: FAILED after {:.1} s: {error:#}",
                    took.as_secs_f64()
                );
                println!("    {remedy}");
                self.failed.push((name.to_owned(), remedy));
                false
            }
        }
    }

    /// Prints what passed and what failed; whether everything passed.
    pub fn finish(&self) -> bool {
        println!();
        for (name, took) in &self.passed {
            println!("  ok     {:>7.1} s  {name}", took.as_secs_f64());
        }
        for (name, remedy) in &self.failed {
            println!("  FAILED            {name} ({remedy})");
        }
        println!();
        println!("{} passed, {} failed", self.passed.len(), self.failed.len());
        self.failed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn steps_that_were_not_asked_for_are_left_out() {
        let mut steps = Steps::only(Some("window".to_owned()));
        steps.take("docs", Remedy::Mend("hope"), || bail!("not asked for"));
        steps.take("real window", Remedy::Mend("nothing"), || Ok(()));
        assert_eq!(steps.passed.len(), 1);
        assert!(steps.finish());
    }

    #[test]
    fn one_failed_step_fails_the_whole() {
        let mut steps = Steps::default();
        assert!(steps.take("good", Remedy::Mend("nothing"), || Ok(())));
        assert!(steps.finish(), "nothing failed yet");
        assert!(!steps.take("bad", Remedy::Mend("hope"), || bail!("broken")));
        assert!(steps.take("good again", Remedy::Mend("nothing"), || Ok(())));
        assert!(!steps.finish(), "a later success does not undo a failure");
    }
}
