//! SQLite on a [`Disk`] that loses power.
//!
//! A layer over the system's own file system: what lies in the folder of a [`Disk`] is written down on its way, anything
//! else passes through. It becomes SQLite's default, so that stores are opened as the product opens them.
#![expect(
    unsafe_code,
    reason = "SQLite takes a file system as a table of C functions"
)]

use std::{
    ffi::{CStr, OsStr, c_char, c_int, c_void},
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    ptr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rusqlite::ffi;

use crate::disk::{Disk, Power};

/// The disks of this process.
static DISKS: Mutex<Vec<Arc<Disk>>> = Mutex::new(Vec::new());
/// The system's own file system, as an address; it lives as long as the process.
static SYSTEM: OnceLock<usize> = OnceLock::new();

/// Puts a folder on a disk that can lose power. What SQLite opens in it from here on is written down.
///
/// # Errors
/// If SQLite does not take the file system.
pub fn insert(folder: &Path) -> io::Result<Arc<Disk>> {
    register()?;
    let disk = Arc::new(Disk::new(folder.canonicalize()?));
    disks().push(Arc::clone(&disk));
    Ok(disk)
}

/// Forgets a disk: what is opened in its folder from here on passes through.
pub fn eject(disk: &Arc<Disk>) {
    disks().retain(|held| !Arc::ptr_eq(held, disk));
}

fn disks() -> MutexGuard<'static, Vec<Arc<Disk>>> {
    DISKS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn disk_of(path: &Path) -> Option<Arc<Disk>> {
    disks()
        .iter()
        .find(|disk| path.starts_with(disk.folder()))
        .cloned()
}

/// Makes the layer SQLite's default, once in a process.
fn register() -> io::Result<()> {
    static DONE: OnceLock<c_int> = OnceLock::new();
    let code = *DONE.get_or_init(|| {
        // SAFETY: a null name asks for the default; SQLite initialises itself first.
        let system = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
        if system.is_null() {
            return ffi::SQLITE_ERROR;
        }
        SYSTEM.get_or_init(|| system as usize);
        // SAFETY: SQLite's own table is valid for the whole process, and not changed after its start.
        let mut layer = unsafe { *system };
        layer.zName = c"tulou-crash".as_ptr();
        layer.pNext = ptr::null_mut();
        layer.szOsFile += size_of::<Layer>() as c_int;
        layer.xOpen = Some(open);
        layer.xDelete = Some(delete);
        let layer = Box::leak(Box::new(layer));
        // SAFETY: the table is leaked, so it outlives SQLite. Functions that were copied from the system's table use
        // nothing of it but the length of paths.
        unsafe { ffi::sqlite3_vfs_register(layer, 1) }
    });
    if code == ffi::SQLITE_OK {
        Ok(())
    } else {
        Err(io::Error::other(format!(
            "SQLite refuses the file system: {code}"
        )))
    }
}

fn system() -> *mut ffi::sqlite3_vfs {
    SYSTEM
        .get()
        .map_or(ptr::null_mut(), |system| *system as *mut _)
}

/// The head of an open file; the system's own file follows it in the memory that SQLite gives for both.
#[repr(C, align(8))]
struct Layer {
    methods: *const ffi::sqlite3_io_methods,
    /// From `Box::into_raw`; null for a file that passes through.
    noted: *mut Noted,
}

/// A file whose fate is written down.
struct Noted {
    disk: Arc<Disk>,
    path: PathBuf,
    /// A new log or journal: as the system's file system does, its first sync is one of the folder, too.
    syncs_folder: AtomicBool,
}

/// No version of mapped reads (3): each read has to come by here.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The system's file behind a layer.
///
/// # Safety
/// `file` is one that [`open`] made.
unsafe fn below(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: SQLite gave `szOsFile` bytes, which are those of the layer and then those of the system's file.
    unsafe { file.cast::<Layer>().add(1).cast() }
}

/// What is written down of a file; none if it passes through.
///
/// # Safety
/// `file` is one that [`open`] made and that is not closed.
unsafe fn noted<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a Noted> {
    // SAFETY: `open` set the pointer, and `close` alone takes it back.
    unsafe { (*file.cast::<Layer>()).noted.as_ref() }
}

/// Calls the system's function for a file.
macro_rules! pass {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: SQLite hands in only files that `open` made, and the system's file behind it is open.
        unsafe {
            let file = below($file);
            match (*(*file).pMethods).$method {
                Some(method) => method(file $(, $argument)*),
                None => ffi::SQLITE_ERROR,
            }
        }
    }};
}

/// Ends the function with an error once power is lost.
macro_rules! need_power {
    ($file:expr, $error:expr) => {
        // SAFETY: SQLite hands in only open files that `open` made.
        if unsafe { noted($file) }.is_some_and(|noted| noted.disk.is_dead()) {
            return $error;
        }
    };
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let path = path_of(name);
    let disk = path.as_deref().and_then(disk_of);
    let layer = file.cast::<Layer>();
    // SAFETY: SQLite gave memory for a file of ours; null methods say that it is not open.
    unsafe {
        (*layer).methods = ptr::null();
        (*layer).noted = ptr::null_mut();
    }
    if disk.as_ref().is_some_and(|disk| disk.is_dead()) {
        return ffi::SQLITE_CANTOPEN;
    }
    if let (Some(disk), Some(path)) = (&disk, &path) {
        disk.opened(path);
    }
    let system = system();
    // SAFETY: the system's table is valid, the memory behind the layer is as large as its file, and the other arguments
    // are SQLite's own.
    let code = unsafe {
        match (*system).xOpen {
            Some(open) => open(system, name, below(file), flags, out),
            None => ffi::SQLITE_ERROR,
        }
    };
    if code == ffi::SQLITE_OK {
        let is_log = flags & (ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL) != 0;
        let noted = disk.zip(path).map(|(disk, path)| Noted {
            disk,
            path,
            syncs_folder: AtomicBool::new(is_log && flags & ffi::SQLITE_OPEN_CREATE != 0),
        });
        // SAFETY: the memory is ours until SQLite closes the file.
        unsafe {
            (*layer).noted = noted.map_or(ptr::null_mut(), |noted| Box::into_raw(Box::new(noted)));
            (*layer).methods = &raw const METHODS;
        }
    }
    code
}

unsafe extern "C" fn delete(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    syncs_folder: c_int,
) -> c_int {
    let path = path_of(name);
    let disk = path.as_deref().and_then(disk_of);
    if let (Some(disk), Some(path)) = (disk, path) {
        match disk.step() {
            Power::On => {}
            Power::Failing => {
                disk.deleted(&path);
                return ffi::SQLITE_IOERR_DELETE;
            }
            Power::Off => return ffi::SQLITE_IOERR_DELETE,
        }
        disk.deleted(&path);
        if syncs_folder != 0 {
            disk.folder_synced();
        }
    }
    let system = system();
    // SAFETY: the system's table is valid; the arguments are SQLite's own.
    unsafe {
        match (*system).xDelete {
            Some(delete) => delete(system, name, 0),
            None => ffi::SQLITE_ERROR,
        }
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let code = pass!(file, xClose);
    let layer = file.cast::<Layer>();
    // SAFETY: the pointer is from `Box::into_raw` in `open`, and is taken back once: SQLite closes a file once.
    unsafe {
        let noted = std::mem::replace(&mut (*layer).noted, ptr::null_mut());
        if !noted.is_null() {
            drop(Box::from_raw(noted));
        }
    }
    code
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    to: *mut c_void,
    count: c_int,
    offset: i64,
) -> c_int {
    need_power!(file, ffi::SQLITE_IOERR_READ);
    pass!(file, xRead, to, count, offset)
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    count: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: SQLite hands in only open files that `open` made.
    if let Some(noted) = unsafe { noted(file) } {
        let power = noted.disk.step();
        if power == Power::Off {
            return ffi::SQLITE_IOERR_WRITE;
        }
        let (Ok(count), Ok(offset)) = (usize::try_from(count), usize::try_from(offset)) else {
            return ffi::SQLITE_IOERR_WRITE;
        };
        // SAFETY: SQLite hands in `count` bytes that nobody changes meanwhile.
        let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), count) };
        noted.disk.written(&noted.path, offset, bytes.to_vec());
        if power == Power::Failing {
            return ffi::SQLITE_IOERR_WRITE;
        }
    }
    pass!(file, xWrite, from, count, offset)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: SQLite hands in only open files that `open` made.
    if let Some(noted) = unsafe { noted(file) } {
        let power = noted.disk.step();
        if power != Power::Off {
            noted
                .disk
                .truncated(&noted.path, usize::try_from(size).unwrap_or(0));
        }
        if power != Power::On {
            return ffi::SQLITE_IOERR_TRUNCATE;
        }
    }
    pass!(file, xTruncate, size)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite hands in only open files that `open` made.
    match unsafe { noted(file) } {
        Some(noted) => {
            if noted.disk.step() != Power::On {
                return ffi::SQLITE_IOERR_FSYNC;
            }
            // The real disk need not be troubled: it is this one that forgets.
            noted.disk.synced(&noted.path);
            if noted.syncs_folder.swap(false, Ordering::Relaxed) {
                noted.disk.folder_synced();
            }
            ffi::SQLITE_OK
        }
        None => pass!(file, xSync, flags),
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    need_power!(file, ffi::SQLITE_IOERR_FSTAT);
    pass!(file, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // Without power nobody gets a lock, so that nothing is tidied up at closing.
    need_power!(file, ffi::SQLITE_IOERR_LOCK);
    pass!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, out)
}

unsafe extern "C" fn file_control(
    file: *mut ffi::sqlite3_file,
    what: c_int,
    with: *mut c_void,
) -> c_int {
    // A hint would make the file larger behind the back of this layer.
    if what == ffi::SQLITE_FCNTL_SIZE_HINT {
        return ffi::SQLITE_OK;
    }
    pass!(file, xFileControl, what, with)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    size: c_int,
    extends: c_int,
    out: *mut *mut c_void,
) -> c_int {
    need_power!(file, ffi::SQLITE_IOERR_SHMMAP);
    pass!(file, xShmMap, page, size, extends, out)
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    pass!(file, xShmLock, offset, count, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: SQLite hands in only files that `open` made, and the system's file behind it is open.
    unsafe {
        let file = below(file);
        if let Some(barrier) = (*(*file).pMethods).xShmBarrier {
            barrier(file);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, deletes: c_int) -> c_int {
    pass!(file, xShmUnmap, deletes)
}

/// The path that SQLite names; none for a file without a name.
fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: SQLite's names are strings that end with a zero and stay while the file is open.
    let name = unsafe { CStr::from_ptr(name) };
    Some(PathBuf::from(OsStr::from_bytes(name.to_bytes())))
}
