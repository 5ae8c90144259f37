//! Unix: lock files, and the table by which a forked child gives them up.
//!
//! A child shares the open files of its parent, and with them the locks, until it closes them. The table says which they are;
//! the atfork handler reads it, so there is no lock and no allocation in it.
//!
//! The kernel copies the descriptors of a process before its memory, and other threads go on meanwhile. So what a child finds
//! in the table may be later than its descriptors, and a slot says enough to be right all the same:
//!
//! | state of the slot | what the child may have | what its handler does |
//! |---|---|---|
//! | `OPENING` | the file, under any number | looks through all numbers |
//! | the number | the file, or what had the number before | closes it if it is the file |
//! | the number, past | the file, or what has the number since | the same |
//!
//! Whether it is the file is told by device and inode, which are in the slot before the file is opened; and, since a deleted
//! file's inode is given to the next one, by how it was opened.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

use super::unix::{not_plain, state_mode};

/// More than any host holds: one for each state folder, and one for a moment while a setting changes.
const LOCKS: usize = 256;

const FREE: i32 = -1;
/// Taken by an open that has not written the file's identity yet.
const CLAIMED: i32 = -2;
const OPENING: i32 = -3;
/// A number `n` that is closed is kept as `PAST - n`.
const PAST: i32 = -10;

/// Of one page, so that the copy in a child is of one moment.
#[repr(C, align(32))]
struct Slot {
    state: AtomicI32,
    device: AtomicU64,
    inode: AtomicU64,
}

static LOCK_FILES: [Slot; LOCKS] =
    [const { Slot { state: AtomicI32::new(FREE), device: AtomicU64::new(0), inode: AtomicU64::new(0) } }; LOCKS];

/// Where the next search begins. A slot rests as long as possible: what is past in it is still of use to a child that is
/// being made just now.
static NEXT: AtomicU32 = AtomicU32::new(0);

type Identity = (u64, u64);

fn identity(meta: &fs::Metadata) -> Identity {
    (meta.dev(), meta.ino())
}

impl Slot {
    fn claim() -> io::Result<(usize, &'static Slot)> {
        let start = NEXT.fetch_add(1, Relaxed) as usize;
        let mut slots = (0..LOCKS).filter_map(|step| {
            let index = (start + step) % LOCKS;
            LOCK_FILES.get(index).map(|slot| (index, slot))
        });
        let free = |slot: &Slot| {
            let state = slot.state.load(SeqCst);
            (state == FREE || state <= PAST) && slot.state.compare_exchange(state, CLAIMED, SeqCst, SeqCst).is_ok()
        };
        slots.find(|(_, slot)| free(slot)).ok_or_else(|| io::Error::other("too many locks are held in this process"))
    }

    /// From here on the file may be open.
    fn announce(&self, (device, inode): Identity) {
        self.device.store(device, Relaxed);
        self.inode.store(inode, Relaxed);
        self.state.store(OPENING, SeqCst);
    }

    fn identity(&self) -> Identity {
        (self.device.load(Relaxed), self.inode.load(Relaxed))
    }
}

/// Opens a lock file, which is made when it is missing, and notes it: a fork at any moment leaves the child nothing of it.
/// Returns where it is noted.
pub(in super::super) fn open_lock(path: &Path) -> io::Result<(File, usize)> {
    let mode = state_mode(path);
    // Once more when the file was replaced between looking and opening.
    for _ in 0..8 {
        let meta = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path, mode)?;
                continue;
            }
            other => other?,
        };
        let (index, slot) = Slot::claim()?;
        slot.announce(identity(&meta));
        let opened = open(path);
        let fd = opened.as_ref().map_or(FREE, AsRawFd::as_raw_fd);
        slot.state.store(fd, SeqCst);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let meta = file.metadata();
        let right = meta.as_ref().is_ok_and(|meta| meta.is_file() && identity(meta) == slot.identity());
        if right {
            if meta?.mode() & 0o777 != mode {
                // Not ours when it fails; whoever owns the file has set its rights.
                let _ = file.set_permissions(fs::Permissions::from_mode(mode));
            }
            return Ok((file, index));
        }
        forget_lock(index, &file);
        if !meta?.is_file() {
            return Err(not_plain("is not a regular file"));
        }
    }
    Err(io::Error::other("the lock file is replaced again and again"))
}

/// Makes the empty file without ever having it open, so that there is nothing that a child could inherit.
fn make(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: `name` is NUL-terminated and lives through the call.
    if unsafe { libc::mknod(name.as_ptr(), libc::S_IFREG | mode as libc::mode_t, 0) } == 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        error if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // File systems that make no nodes, and systems that let only root do so.
        error if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM | libc::EINVAL | libc::EOPNOTSUPP)) => {
            match OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            }
        }
        error => Err(error),
    }
}

/// Has no effect on a regular file, so that hardly anybody else opens one with it.
const MARK: i32 = libc::O_RDWR | libc::O_NONBLOCK;

fn open(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
}

/// Forgets a descriptor, before it is closed. False when a forked child's handler closed it before.
pub(in super::super) fn forget_lock(slot: usize, file: &File) -> bool {
    let fd = file.as_raw_fd();
    LOCK_FILES.get(slot).is_some_and(|slot| slot.state.compare_exchange(fd, PAST - fd, SeqCst, SeqCst).is_ok())
}

/// Closes every lock file. For the atfork handler of a child: only atomics and system calls, none of which asks a file system.
pub(in super::super) fn close_noted_locks() {
    for slot in &LOCK_FILES {
        let state = slot.state.swap(FREE, SeqCst);
        let file = slot.identity();
        match state {
            OPENING => (0..most_descriptors()).for_each(|fd| close_if(fd, file, false)),
            0.. => close_if(state, file, true),
            ..=PAST => close_if(PAST - state, file, false),
            _ => {}
        }
    }
}

fn most_descriptors() -> i32 {
    /// What a kernel gives at most unless it is told otherwise.
    const MOST: u64 = 1 << 20;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is writable.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == 0;
    let most = if known { limit.rlim_cur.min(MOST) } else { MOST };
    most as i32
}

/// Closes `fd` if it is that file. `unknown`: what to do when it cannot be told.
fn close_if(fd: i32, file: Identity, unknown: bool) {
    // SAFETY: asks only.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    if flags != -1 && flags & MARK == MARK && identity_of(fd).map_or(unknown, |found| found == file) {
        // SAFETY: in the child the number is the lock file's own descriptor. Its `File` is never used or dropped here:
        // `FileLock` compares process ids first.
        unsafe { libc::close(fd) };
    }
}

/// What an open descriptor is, as the kernel remembers it: a share that hangs is not asked. `None` also when it is not open.
#[cfg(target_os = "linux")]
fn identity_of(fd: i32) -> Option<Identity> {
    let mut found = std::mem::MaybeUninit::<libc::statx>::zeroed();
    let flags = libc::AT_EMPTY_PATH | libc::AT_STATX_DONT_SYNC;
    // SAFETY: the empty path is NUL-terminated, and there is room for the answer.
    let done = unsafe { libc::statx(fd, c"".as_ptr(), flags, libc::STATX_INO, found.as_mut_ptr()) };
    if done != 0 {
        return None;
    }
    // SAFETY: zeroed above, and integers only.
    let found = unsafe { found.assume_init() };
    Some((libc::makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino))
}

/// The same where there is no such call.
#[cfg(not(target_os = "linux"))]
fn identity_of(fd: i32) -> Option<Identity> {
    let mut found = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: there is room for the answer.
    if unsafe { libc::fstat(fd, found.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: zeroed above, and integers only.
    let found = unsafe { found.assume_init() };
    Some((found.st_dev as u64, found.st_ino as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `holds` in a child of this process. The child of a process with threads: only system calls in there.
    fn in_child(holds: impl FnOnce() -> bool) -> bool {
        // SAFETY: as above.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let code = i32::from(!holds());
            // SAFETY: nothing of the parent is tidied up.
            unsafe { libc::_exit(code) };
        }
        let mut status = 0;
        // SAFETY: a child of this process, waited for once.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        status == 0
    }

    fn is_open(fd: i32) -> bool {
        // SAFETY: asks only.
        unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
    }

    fn lock_file() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        (folder, path)
    }

    #[test]
    fn a_child_forked_between_opening_and_noting_a_lock_file_has_it_not() {
        let (_folder, path) = lock_file();
        make(&path, 0o600).unwrap();
        let (index, slot) = Slot::claim().unwrap();
        slot.announce(identity(&fs::symlink_metadata(&path).unwrap()));
        // Not noted yet, and under a number that nobody would guess.
        let file = open(&path).unwrap();
        let (fd, far) = (file.as_raw_fd(), 700);
        // SAFETY: a number that this process does not use.
        assert_eq!(unsafe { libc::dup2(fd, far) }, far);
        let gone = in_child(|| {
            close_noted_locks();
            !is_open(fd) && !is_open(far) && is_open(1)
        });
        // SAFETY: as above.
        unsafe { libc::close(far) };
        slot.state.store(fd, SeqCst);
        assert!(forget_lock(index, &file));
        assert!(gone);
    }

    #[test]
    fn a_child_that_was_copied_before_its_parent_closed_a_lock_file_has_it_not() {
        let (_folder, path) = lock_file();
        let (file, slot) = open_lock(&path).unwrap();
        let fd = file.as_raw_fd();
        // Forgotten, as the child's memory may say, and still open, as its descriptors were a moment before.
        assert!(forget_lock(slot, &file));
        assert!(in_child(|| {
            close_noted_locks();
            !is_open(fd)
        }));
    }

    #[test]
    fn a_child_keeps_what_of_its_hosts_has_the_number_of_a_lock_file() {
        let (folder, path) = lock_file();
        let hosts = File::create(folder.path().join("the host's")).unwrap();
        let (file, slot) = open_lock(&path).unwrap();
        let (fd, kept) = (file.as_raw_fd(), hosts.as_raw_fd());
        for past in [false, true] {
            if past {
                assert!(forget_lock(slot, &file));
            }
            let stays = in_child(|| {
                // As if the number had been the host's when the descriptors were copied.
                // SAFETY: both are this process's own.
                unsafe { libc::dup2(kept, fd) };
                close_noted_locks();
                is_open(fd)
            });
            assert!(stays, "past: {past}");
        }
    }

    /// A child that stays alive keeps nobody from the lock once it closed the descriptors.
    #[test]
    fn a_forked_child_gives_up_the_locks_of_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let (file, slot) = open_lock(&path).unwrap();
        file.try_lock().unwrap();

        let mut to_parent = [0; 2];
        let mut to_child = [0; 2];
        // SAFETY: the arrays have room for the two descriptors.
        unsafe {
            assert_eq!((libc::pipe(to_parent.as_mut_ptr()), libc::pipe(to_child.as_mut_ptr())), (0, 0));
        }
        let mut byte = 0_u8;
        // SAFETY: the child of this process with threads does only what is allowed after fork: close, write, read, _exit.
        let child = unsafe { libc::fork() };
        if child == 0 {
            close_noted_locks();
            // SAFETY: as above.
            unsafe {
                libc::close(to_child[1]);
                libc::write(to_parent[1], (&raw const byte).cast(), 1);
                libc::read(to_child[0], (&raw mut byte).cast(), 1);
                libc::_exit(0);
            }
        }
        // SAFETY: descriptors of this test, each closed once; the child is waited for once.
        unsafe {
            assert_eq!(libc::read(to_parent[0], (&raw mut byte).cast(), 1), 1);
            // As a killed parent leaves it: closed, not unlocked.
            assert!(forget_lock(slot, &file));
            drop(file);
            let again = open(&path).unwrap();
            let taken = again.try_lock();
            libc::close(to_child[1]);
            let mut status = 0;
            assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
            for fd in [to_parent[0], to_parent[1], to_child[0]] {
                libc::close(fd);
            }
            taken.unwrap();
        }
    }

    #[test]
    fn the_locks_of_a_process_are_limited_and_each_closed_one_makes_room() {
        let (folder, _) = lock_file();
        // Others of this process hold some, too.
        let held: Vec<_> =
            (0..LOCKS).map_while(|number| open_lock(&folder.path().join(number.to_string())).ok()).collect();
        assert!(held.len() > LOCKS / 2, "{}", held.len());
        held.iter().for_each(|(file, slot)| assert!(forget_lock(*slot, file)));
        let (file, slot) = open_lock(&folder.path().join("one more")).unwrap();
        assert!(forget_lock(slot, &file));
    }
}
