use std::fs;

use super::*;

#[test]
fn a_file_of_the_limit_is_read_and_one_byte_more_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for (size, limit, fits) in [(0, 0, true), (0, 10, true), (10, 10, true), (11, 10, false), (1, 0, false)] {
        fs::write(&path, vec![b'x'; size]).unwrap();
        match read_limited(&path, limit) {
            Ok(bytes) => assert!(fits && bytes.len() == size, "{size} {limit}"),
            Err(error) => assert!(!fits && error.kind() == io::ErrorKind::FileTooLarge, "{size} {limit} {error}"),
        }
    }
}

#[test]
fn what_passes_is_told_from_what_stays() {
    #[cfg(unix)]
    let (passing, staying) =
        (vec![libc::EMFILE, libc::ENFILE, libc::EINTR, libc::ENOMEM], vec![libc::EIO, libc::EACCES]);
    #[cfg(windows)]
    let (passing, staying) = (vec![32, 33, 1450], vec![1117, 5]);
    for code in passing {
        assert!(passes(&io::Error::from_raw_os_error(code)), "{code}");
    }
    for error in staying.into_iter().map(io::Error::from_raw_os_error).chain([io::ErrorKind::NotFound.into()]) {
        assert!(!passes(&error), "{error}");
    }
}

#[test]
fn a_missing_file_is_not_found_and_a_folder_is_called_one() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read_limited(&folder.path().join("no"), 9).unwrap_err().kind(), io::ErrorKind::NotFound);
    let error = read_limited(folder.path(), 9).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::InvalidInput, "is a folder"));
}

#[cfg(unix)]
#[test]
fn what_is_not_a_regular_file_is_refused_at_once_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file"), "x").unwrap();
    std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
    std::os::unix::fs::symlink(at("nothing"), at("dangling")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", at("link to a device")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
    let cases = [
        (at("link"), "is a symbolic link"),
        (at("dangling"), "is a symbolic link"),
        (at("link to a device"), "is a symbolic link"),
        (at("fifo"), "is a FIFO"),
        (at("socket"), "is a socket"),
        ("/dev/zero".into(), "is a device"),
        ("/dev/null".into(), "is a device"),
        ("/dev/tty".into(), "is a device"),
    ];
    for (path, words) in cases {
        let error = read_limited(&path, 100).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::InvalidInput, words), "{path:?}");
    }
}

/// Its size is said to be 0; what counts is what comes out.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_lies_about_its_size_is_still_bounded() {
    let path = Path::new("/proc/self/status");
    assert!(!read_limited(path, 1 << 20).unwrap().is_empty());
    assert_eq!(read_limited(path, 10).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
}

#[cfg(windows)]
#[test]
fn device_names_are_refused_in_every_folder() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["NUL", "nul.ors.json", "COM1", "a.ors.json:stream"] {
        let error = read_limited(&folder.path().join(name), 100).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{name}");
    }
}

#[test]
fn a_stamp_moves_with_every_replacement() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    assert_eq!(stamp(&path), None);
    let mut before = None;
    for size in [1, 2, 3] {
        crate::store::replace(&crate::store::RealDisk, &path, &vec![b'x'; size], crate::store::Access::Owner).unwrap();
        let now = stamp(&path);
        assert!(now.is_some() && now != before);
        assert_eq!(now, stamp(&path));
        before = now;
    }
}

/// `rsync -t` and `cp -p` keep the time of their source; a file of the same size is still another one.
#[cfg(unix)]
#[test]
fn a_stamp_moves_although_time_and_size_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "one").unwrap();
    let before = stamp(&path).unwrap();
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    // The change time has the kernel's tick as its grain.
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(&path, "two").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), time);
    assert_ne!(stamp(&path).unwrap(), before);
}
