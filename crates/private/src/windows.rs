//! By a list of who may.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

use windows_permissions::{
    LocalBox, SecurityDescriptor,
    constants::{SeObjectType, SecurityInformation},
    utilities::current_process_sid,
    wrappers::{
        ConvertSecurityDescriptorToStringSecurityDescriptor, GetNamedSecurityInfo,
        SetNamedSecurityInfo,
    },
};

use crate::list;

/// Also for what is made in it.
const INHERITED: &str = "OICI";

pub fn close_folder(path: &Path) -> io::Result<()> {
    set(path, INHERITED)
}

pub fn close_file(path: &Path) -> io::Result<()> {
    set(path, "")
}

pub fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).write(true).open(path)
}

pub fn is_open_to_others(path: &Path) -> io::Result<bool> {
    let found = GetNamedSecurityInfo(
        path.as_os_str(),
        SeObjectType::SE_FILE_OBJECT,
        SecurityInformation::Dacl,
    )?;
    let said =
        ConvertSecurityDescriptorToStringSecurityDescriptor(&found, SecurityInformation::Dacl)?;
    Ok(list::is_open(&said.to_string_lossy()))
}

/// Goes through all that is in a folder.
fn set(path: &Path, inheritance: &str) -> io::Result<()> {
    let person = current_process_sid()?.to_string();
    let wanted: LocalBox<SecurityDescriptor> = list::private(&person, inheritance).parse()?;
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
