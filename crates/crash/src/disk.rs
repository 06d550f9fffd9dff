//! A disk that forgets what was not synced when its power is lost.
//!
//! It keeps, for each file, what the disk is bound to have (all up to the last sync) and what came after. When power is
//! lost, of the latter nothing, everything, a part, or single sectors arrive: a disk promises nothing else. From that
//! moment every operation fails, until the files are read out by [`Disk::files_after`].

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Bytes that arrive whole or not at all.
const SECTOR: usize = 512;

/// A folder whose files lie on a disk that can lose power.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    state: Mutex<State>,
    /// Syncs are not held up any more.
    goes_on: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Writes, syncs, truncations and deletions so far.
    operations: u64,
    /// The operation with which power is lost.
    ends_with: Option<u64>,
    is_dead: bool,
    files: BTreeMap<PathBuf, DiskFile>,
    /// Syncs that were asked for, and those that are over.
    syncs: (u64, u64),
    holds_syncs: bool,
}

/// A file as the disk has it.
#[derive(Debug, Default)]
struct DiskFile {
    /// What it has for sure; none if that is that there is no such file.
    durable: Option<Vec<u8>>,
    /// What came after, in order.
    pending: Vec<Pending>,
}

#[derive(Debug)]
enum Pending {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
    Delete,
}

/// Whether an operation may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    /// It may.
    On,
    /// Power is lost while it goes on: a part of it may arrive, and it fails.
    Failing,
    /// Power was lost before.
    Off,
}

/// How much of what was not synced arrives.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Nothing,
    Everything,
    /// All up to some operation.
    Prefix,
    /// Any of them.
    Some,
    /// Any sectors of any of them.
    Sectors,
}

impl Disk {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            state: Mutex::default(),
            goes_on: Condvar::new(),
        }
    }

    /// The disk takes its time: no sync comes to an end until [`Disk::let_syncs_go`].
    pub fn hold_syncs(&self) {
        self.state().holds_syncs = true;
    }

    /// Syncs come to an end again.
    pub fn let_syncs_go(&self) {
        self.state().holds_syncs = false;
        self.goes_on.notify_all();
    }

    /// Syncs that were asked for so far, and those of them that are over.
    #[must_use]
    pub fn syncs(&self) -> (u64, u64) {
        self.state().syncs
    }

    /// Loses power with the operation after this many more.
    pub fn lose_power_after(&self, operations: u64) {
        let mut state = self.state();
        state.ends_with = Some(state.operations + operations + 1);
    }

    /// Loses power at once.
    pub fn lose_power(&self) {
        self.state().is_dead = true;
    }

    /// Whether power is lost.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    /// Writes, syncs, truncations and deletions so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Writes the files as the disk may have them after the loss of power into another folder. Which of all possible
    /// outcomes it is follows from the seed.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn files_after(&self, seed: u64, to: &Path) -> io::Result<()> {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let state = self.state();
        let fates = [
            Fate::Nothing,
            Fate::Everything,
            Fate::Prefix,
            Fate::Some,
            Fate::Sectors,
        ];
        for (path, kept) in &state.files {
            let fate = fates[chance.random_range(0..fates.len())];
            if let Some(bytes) = kept.after(fate, &mut chance) {
                let name = path.strip_prefix(&self.folder).unwrap_or(path);
                fs::write(to.join(name), bytes)?;
            }
        }
        Ok(())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Counts an operation.
    pub(crate) fn step(&self) -> Power {
        let mut state = self.state();
        if state.is_dead {
            return Power::Off;
        }
        state.operations += 1;
        if state.ends_with == Some(state.operations) {
            state.is_dead = true;
            return Power::Failing;
        }
        Power::On
    }

    /// A file is opened; what it holds when that is the first time is durable.
    pub(crate) fn opened(&self, path: &Path) {
        self.state()
            .files
            .entry(path.to_owned())
            .or_insert_with(|| DiskFile {
                durable: fs::read(path).ok().filter(|bytes| !bytes.is_empty()),
                pending: Vec::new(),
            });
    }

    pub(crate) fn written(&self, path: &Path, offset: usize, bytes: Vec<u8>) {
        self.add(path, Pending::Write { offset, bytes });
    }

    pub(crate) fn truncated(&self, path: &Path, size: usize) {
        self.add(path, Pending::Truncate(size));
    }

    pub(crate) fn deleted(&self, path: &Path) {
        self.add(path, Pending::Delete);
    }

    pub(crate) fn synced(&self, path: &Path) {
        let mut state = self.state();
        state.syncs.0 += 1;
        while state.holds_syncs {
            let held = self.goes_on.wait(state);
            state = held.unwrap_or_else(PoisonError::into_inner);
        }
        state.syncs.1 += 1;
        if let Some(kept) = state.files.get_mut(path) {
            for pending in std::mem::take(&mut kept.pending) {
                apply(&mut kept.durable, &pending, |_| true);
            }
        }
    }

    /// The folder is synced: what was deleted in it does not come back.
    pub(crate) fn folder_synced(&self) {
        for kept in self.state().files.values_mut() {
            let deleted = kept
                .pending
                .iter()
                .rposition(|pending| matches!(pending, Pending::Delete));
            if let Some(at) = deleted {
                for pending in kept.pending.drain(..=at) {
                    apply(&mut kept.durable, &pending, |_| true);
                }
            }
        }
    }

    fn add(&self, path: &Path, pending: Pending) {
        let mut state = self.state();
        let kept = state.files.entry(path.to_owned()).or_default();
        kept.pending.push(pending);
    }

    /// A panic while the state was held leaves it whole: each part is changed in one step.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DiskFile {
    fn after(&self, fate: Fate, chance: &mut ChaCha8Rng) -> Option<Vec<u8>> {
        let mut file = self.durable.clone();
        let end = match fate {
            Fate::Nothing => 0,
            Fate::Everything | Fate::Some | Fate::Sectors => self.pending.len(),
            Fate::Prefix => chance.random_range(0..=self.pending.len()),
        };
        for pending in &self.pending[..end] {
            match fate {
                Fate::Some if chance.random_bool(0.5) => {}
                Fate::Sectors => apply(&mut file, pending, |_| chance.random_bool(0.5)),
                Fate::Nothing | Fate::Everything | Fate::Prefix | Fate::Some => {
                    apply(&mut file, pending, |_| true);
                }
            }
        }
        file
    }
}

/// Applies an operation; of a write only the sectors that arrive.
fn apply(file: &mut Option<Vec<u8>>, pending: &Pending, mut arrives: impl FnMut(usize) -> bool) {
    match pending {
        Pending::Delete => {
            if arrives(0) {
                *file = None;
            }
        }
        Pending::Truncate(size) => {
            if arrives(0) {
                file.get_or_insert_default().resize(*size, 0);
            }
        }
        Pending::Write { offset, bytes } => {
            let mut at = 0;
            while at < bytes.len() {
                // Sectors lie where the disk has them, not where the write begins.
                let sector = (offset + at) / SECTOR;
                let end = ((sector + 1) * SECTOR - offset).min(bytes.len());
                if arrives(sector) {
                    let file = file.get_or_insert_default();
                    if file.len() < offset + end {
                        file.resize(offset + end, 0);
                    }
                    file[offset + at..offset + end].copy_from_slice(&bytes[at..end]);
                }
                at = end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(offset: usize, byte: u8, count: usize) -> Pending {
        Pending::Write {
            offset,
            bytes: vec![byte; count],
        }
    }

    #[test]
    fn what_was_synced_is_there_whatever_becomes_of_the_rest() {
        let disk = Disk::new(PathBuf::from("/nowhere"));
        let path = Path::new("/nowhere/a");
        disk.written(path, 0, vec![1; 2_000]);
        disk.synced(path);
        disk.written(path, 2_000, vec![2; 2_000]);
        for seed in 0..50 {
            let folder = tempfile::tempdir().unwrap();
            disk.files_after(seed, folder.path()).unwrap();
            let bytes = fs::read(folder.path().join("a")).unwrap();
            assert_eq!(&bytes[..2_000], &[1; 2_000], "seed {seed}");
        }
    }

    #[test]
    fn a_write_arrives_in_sectors_of_the_disk() {
        let mut file = Some(vec![0; 1_536]);
        apply(&mut file, &write(500, 9, 1_000), |sector| sector != 1);
        let file = file.unwrap();
        assert_eq!(file[500..512], [9; 12], "the end of sector 0");
        assert_eq!(file[512..1_024], [0; 512], "sector 1 did not arrive");
        assert_eq!(file[1_024..1_500], [9; 476], "the begin of sector 2");
        assert_eq!(file[1_500..], [0; 36], "nothing was written there");
    }

    #[test]
    fn nothing_goes_on_after_the_operation_that_loses_power() {
        let disk = Disk::new(PathBuf::from("/nowhere"));
        disk.lose_power_after(1);
        assert_eq!(disk.step(), Power::On);
        assert_eq!(disk.step(), Power::Failing);
        assert_eq!(disk.step(), Power::Off);
        assert_eq!(disk.operations(), 2, "what fails is not counted");
    }
}
