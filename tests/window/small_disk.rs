//! A small disk of one's own, to be filled.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// A small disk, until it is dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where this account may not mount anything.
    pub fn mounted(folder: &Path, mib: u32) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let options = format!("size={mib}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tulou-test"])
            .arg(folder)
            .status();
        let is_mounted = mounted.is_ok_and(|status| status.success());
        if !is_mounted {
            println!("skipped: this account may not mount a small disk");
        }
        is_mounted.then(|| Self(folder.to_owned()))
    }

    /// Makes it larger or smaller.
    pub fn resize(&self, mib: u32) {
        let options = format!("remount,size={mib}m");
        let status = Command::new("mount")
            .args(["-o", &options])
            .arg(&self.0)
            .status()
            .unwrap();
        assert!(status.success(), "the disk has another size");
    }

    /// Fills it; the file that does.
    pub fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).unwrap();
        // Ends when the disk is full.
        while file.write_all(&[0; 4_096]).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
