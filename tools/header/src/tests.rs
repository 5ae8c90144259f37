//! The sample in `tests/sample` is read with the repository's own cbindgen.toml, so these tests hold both.

use std::path::{Path, PathBuf};

use crate::{difference, generate};

fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A folder like a repository: the sample's `src/ffi` and the real cbindgen.toml. `change` may spoil the copy.
fn sample(name: &str, change: impl Fn(&Path)) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ors-header-{name}-{}", std::process::id()));
    let ffi = folder.join("src").join("ffi");
    std::fs::create_dir_all(&ffi).unwrap();
    for file in ["mod.rs", "values.rs", "status.rs", "life.rs"] {
        std::fs::copy(package().join("tests/sample/src/ffi").join(file), ffi.join(file)).unwrap();
    }
    std::fs::copy(package().join("../../cbindgen.toml"), folder.join("cbindgen.toml")).unwrap();
    change(&folder);
    folder
}

fn header(name: &str) -> String {
    let folder = sample(name, |_| ());
    let text = generate(&folder).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    text
}

#[test]
fn declarations_are_written_as_c_wants_them() {
    let text = header("declarations");
    for line in [
        "#define ORS_ABI_VERSION 0x00010000u /* major << 16 | minor */",
        "#define ORS_NTS ((size_t)-1) /* \"text is NUL-terminated\" */",
        "#define ORS_NEVER     INT64_MAX",
        "#define ORS_NEVER_DAY 99991231",
        "#define ORS_DEFAULT_WAIT UINT32_MAX",
        "#define ORS_OK 0 /* no error */",
        "#define ORS_E_NULL     (-1)   /* a required pointer is NULL */",
        "#define ORS_E_INTERNAL (-900)",
        "#define ORS_NOTICE_FIRST 0x001u",
        "#define ORS_NOTICE_BOTH  (ORS_NOTICE_FIRST | (1u << 4u))",
        "typedef uint64_t ors_agent;",
        "typedef void (ORS_CALL *ors_log_sink)(void *context, uint32_t level, const char *line, size_t len);",
        "typedef struct ors_error {",
        "  uint32_t struct_size; /**< 0 */",
        "  char where[64];       /**< 16 argument, setting or step */",
        "  char message[432];",
        "} ors_error;",
        "} ors_later;",
        "/** Tells which notices hold now; see `ors_close`. */",
        "ORS_API int32_t ORS_CALL ors_notify_status(ors_agent agent, ors_notice_status *out);",
        "ORS_API uint32_t ORS_CALL ors_abi_version(void);",
        "ORS_API int32_t ORS_CALL ors_notice_text(ors_agent agent, const ors_notice_status *shown, uint32_t notice,",
    ] {
        assert_eq!(text.lines().filter(|found| *found == line).count(), 1, "{line}\n{text}");
    }
}

#[test]
fn rust_only_words_stay_out() {
    let text = header("words");
    for word in [
        "Safety",
        "ORS_PRIVATE",
        "Inner",
        "helper",
        "ors_only_in_tests",
        "ORS_ONLY_IN_TESTS",
        "uintptr_t",
        "[`",
        "struct ors_notice_status *",
    ] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn sections_follow_the_order_of_the_modules() {
    let text = header("sections");
    let places: Vec<usize> = [
        "---- codes: 0 or negative; numbers are never reused -",
        "---- bits -",
        "---- Every page refresh -",
        "---- Open and close -",
    ]
    .iter()
    .map(|heading| {
        assert_eq!(text.matches(heading).count(), 1, "{heading}");
        text.find(heading).unwrap()
    })
    .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn a_constant_without_a_c_spelling_is_named() {
    let folder = sample("constant", |folder| {
        let path = folder.join("src/ffi/values.rs");
        let text = std::fs::read_to_string(&path).unwrap() + "pub const ORS_ODD: i32 = Reason::Odd as i32;\n";
        std::fs::write(path, text).unwrap();
    });
    let problem = generate(&folder).unwrap_err().to_string();
    std::fs::remove_dir_all(folder).unwrap();
    assert!(problem.contains("ORS_ODD"), "{problem}");
}

#[test]
fn a_missing_file_is_named() {
    let folder = sample("missing", |folder| std::fs::remove_file(folder.join("src/ffi/life.rs")).unwrap());
    let problem = generate(&folder).unwrap_err().to_string();
    std::fs::remove_dir_all(folder).unwrap();
    assert!(problem.contains("life"), "{problem}");
}

#[test]
fn difference_shows_only_what_differs() {
    for (old, new, expected) in [
        ("a\nb\nc", "a\nb\nc", ""),
        ("a\nb\nc", "a\nx\nc", "from line 2:\n-b\n+x\n"),
        ("a\nb", "a\nb\nc", "from line 3:\n+c\n"),
        ("a\na", "a", "from line 2:\n-a\n"),
        ("", "a", "from line 1:\n-\n+a\n"),
    ] {
        assert_eq!(difference(old, new), expected, "{old:?} {new:?}");
    }
}
