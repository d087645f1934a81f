//! `unarchive` over archives made here: idempotent, predicted in check mode, nothing outside of the destination.

mod common;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::run;
use serde_json::{Value, json};

type Entry<'e> = (&'e str, tar::EntryType, &'e str);

fn tarball(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(vec![]);
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(if kind.is_dir() { 0o755 } else { 0o640 });
        header.set_mtime(1_600_000_000);
        header.set_uid(u64::from(rustix::process::geteuid().as_raw()));
        header.set_gid(u64::from(rustix::process::getegid().as_raw()));
        let bytes = header.as_gnu_mut().unwrap();
        bytes.name[..name.len()].copy_from_slice(name.as_bytes());
        if kind.is_symlink() || kind.is_hard_link() {
            bytes.linkname[..content.len()].copy_from_slice(content.as_bytes());
            header.set_size(0);
            header.set_cksum();
            builder.append(&header, std::io::empty()).unwrap();
        } else {
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, content.as_bytes()).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn files() -> Vec<u8> {
    use tar::EntryType as T;
    tarball(&[("a/", T::Directory, ""), ("a/f", T::Regular, "hello"), ("a/l", T::Symlink, "f"), ("a/h", T::Link, "a/f"), ("a/d/g", T::Regular, "deep")])
}

struct Place(tempfile::TempDir);

impl Place {
    fn new(archive: &[u8]) -> Place {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("archive"), archive).unwrap();
        std::fs::create_dir(dir.path().join("out")).unwrap();
        Place(dir)
    }

    fn out(&self) -> std::path::PathBuf {
        self.0.path().join("out")
    }

    fn unpack(&self, more: Value, check: bool) -> Value {
        let mut args = json!({"src": self.0.path().join("archive"), "dest": self.out(), "remote_src": true});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        run("unarchive", args, check)
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn an_archive_is_unpacked_once() {
    for (archive, handler) in [(files(), "TarArchive"), (gz(&files()), "TgzArchive")] {
        let place = Place::new(&archive);
        assert_eq!(place.unpack(json!({}), true)["changed"], true);
        assert_eq!(std::fs::read_dir(place.out()).unwrap().count(), 0);
        let first = place.unpack(json!({"list_files": true}), false);
        assert_eq!((&first["changed"], &first["handler"]), (&json!(true), &json!(handler)), "{first}");
        assert_eq!(first["files"], json!(["a/", "a/f", "a/l", "a/h", "a/d/g"]));
        assert_eq!(text(&place.out().join("a/l")), "hello");
        assert_eq!(text(&place.out().join("a/h")), "hello");
        assert_eq!(std::fs::metadata(place.out().join("a/f")).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(place.unpack(json!({}), false)["changed"], false);
        assert_eq!(place.unpack(json!({}), true)["changed"], false);
        std::fs::write(place.out().join("a/f"), "other").unwrap();
        assert_eq!(place.unpack(json!({}), true)["changed"], true);
        assert_eq!(place.unpack(json!({}), false)["changed"], true);
        assert_eq!(text(&place.out().join("a/f")), "hello");
    }
}

#[test]
fn bzip2_xz_and_zip() {
    let mut bz = bzip2::write::BzEncoder::new(vec![], bzip2::Compression::fast());
    bz.write_all(&files()).unwrap();
    let mut xz = vec![];
    lzma_rs::xz_compress(&mut &files()[..], &mut xz).unwrap();
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o700);
    writer.start_file("a/f", options).unwrap();
    writer.write_all(b"hello").unwrap();
    let zip = writer.finish().unwrap().into_inner();
    for (archive, handler) in [(bz.finish().unwrap(), "TarBzipArchive"), (xz, "TarXzArchive"), (zip, "ZipArchive")] {
        let place = Place::new(&archive);
        let first = place.unpack(json!({}), false);
        assert_eq!(first["handler"], handler, "{first}");
        assert_eq!(text(&place.out().join("a/f")), "hello");
        assert_eq!(place.unpack(json!({}), false)["changed"], false);
    }
}

#[test]
fn names_are_stripped_and_left_out() {
    let place = Place::new(&files());
    let result = place.unpack(json!({"extra_opts": ["--strip-components=1"], "exclude": ["a/d"], "mode": "0600"}), false);
    assert_eq!(result["changed"], true, "{result}");
    assert_eq!(text(&place.out().join("f")), "hello");
    assert!(!place.out().join("d").exists());
    assert_eq!(std::fs::metadata(place.out().join("f")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(place.unpack(json!({"extra_opts": ["--checkpoint"]}), false)["msg"].as_str().unwrap().contains("--checkpoint is not supported"));
}

#[test]
fn nothing_is_written_outside() {
    use tar::EntryType as T;
    let escapes =
        [tarball(&[("../evil", T::Regular, "x")]), tarball(&[("l", T::Symlink, ".."), ("l/evil", T::Regular, "x")]), tarball(&[("h", T::Link, "../archive")])];
    for archive in escapes {
        let place = Place::new(&archive);
        let result = place.unpack(json!({}), false);
        assert_eq!(result["failed"], true, "{result}");
        assert!(result["msg"].as_str().unwrap().contains("would be written outside"), "{result}");
        assert!(!place.0.path().join("evil").exists());
    }
    let absolute = Place::new(&tarball(&[("/evil", T::Regular, "x")]));
    assert_eq!(absolute.unpack(json!({}), false)["changed"], true);
    assert_eq!(text(&absolute.out().join("evil")), "x");
}

#[test]
fn what_cannot_be_unpacked_is_said() {
    let place = Place::new(b"no archive");
    assert!(place.unpack(json!({}), false)["msg"].as_str().unwrap().starts_with("Failed to find handler"));
    let damaged = Place::new(&gz(&files())[..60]);
    assert_eq!(damaged.unpack(json!({}), false)["failed"], true);
    let skipped = Place::new(&files());
    let created = skipped.unpack(json!({"creates": skipped.out()}), false);
    assert_eq!((&created["skipped"], &created["changed"]), (&json!(true), &json!(false)));
    let missing = run("unarchive", json!({"src": "/no/such", "dest": skipped.out(), "remote_src": true}), false);
    assert_eq!(missing["msg"], "Source '/no/such' does not exist");
}
