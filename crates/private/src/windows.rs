//! By a list of who may.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

use windows_permissions::{
    LocalBox, SecurityDescriptor, Sid,
    constants::{SeObjectType, SecurityInformation},
    utilities::current_process_sid,
    wrappers::{
        ConvertSecurityDescriptorToStringSecurityDescriptor, GetNamedSecurityInfo,
        SetNamedSecurityInfo,
    },
};

/// Also for what is made in it.
const INHERITED: &str = "OICI";

pub fn folder(path: &Path) -> io::Result<()> {
    set(path, INHERITED)
}

pub fn file(path: &Path) -> io::Result<()> {
    set(path, "")
}

pub fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).write(true).open(path)
}

/// Only the person, the system and its administrators, whatever the folder above says. Setting it goes through all that is
/// in a folder, so it is left alone where it is so already.
fn set(path: &Path, inheritance: &str) -> io::Result<()> {
    let me = current_process_sid()?;
    let list = list_of(&me, inheritance);
    if said_of(path).is_ok_and(|said| said == list) {
        return Ok(());
    }
    let wanted: LocalBox<SecurityDescriptor> = list.parse()?;
    SetNamedSecurityInfo(
        path.as_os_str(),
        SeObjectType::SE_FILE_OBJECT,
        SecurityInformation::Dacl | SecurityInformation::ProtectedDacl,
        None,
        None,
        wanted.dacl(),
        None,
    )
}

/// The list as Windows writes it, in full: protected (`P`), each of the three may do everything (`FA`).
fn list_of(me: &Sid, inheritance: &str) -> String {
    ["SY", "BA", &me.to_string()]
        .map(|who| format!("(A;{inheritance};FA;;;{who})"))
        .into_iter()
        .fold("D:P".to_owned(), |list, one| list + &one)
}

/// Who may, as the system says it.
fn said_of(path: &Path) -> io::Result<String> {
    let found = GetNamedSecurityInfo(
        path.as_os_str(),
        SeObjectType::SE_FILE_OBJECT,
        SecurityInformation::Dacl,
    )?;
    let said =
        ConvertSecurityDescriptorToStringSecurityDescriptor(&found, SecurityInformation::Dacl)?;
    // That it was inherited once says nothing of who may.
    Ok(said.to_string_lossy().replacen("D:PAI", "D:P", 1))
}

/// Whether the list names anybody but the three.
#[cfg(test)]
pub fn is_open_to_others(path: &Path) -> bool {
    let me = current_process_sid()
        .expect("a process is somebody's")
        .to_string();
    let said = said_of(path).expect("what is there can be asked about");
    let mut entries = said.split('(').skip(1);
    entries.any(|entry| {
        let who = entry.trim_end_matches(')').rsplit(';').next().unwrap_or("");
        let is_known = who == me || ["SY", "BA", "S-1-5-18", "S-1-5-32-544"].contains(&who);
        entry.starts_with("A;") && !is_known
    })
}

#[cfg(test)]
pub fn open_to_others(path: &Path) -> io::Result<()> {
    let open: LocalBox<SecurityDescriptor> = "D:(A;OICI;FA;;;WD)".parse()?;
    SetNamedSecurityInfo(
        path.as_os_str(),
        SeObjectType::SE_FILE_OBJECT,
        SecurityInformation::Dacl,
        None,
        None,
        open.dacl(),
        None,
    )
}
