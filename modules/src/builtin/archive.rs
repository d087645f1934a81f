//! Reading archives: tar (plain, gzip, bzip2, xz) and zip, member by member.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::change::Content;
use crate::context::Context;
use crate::outcome::{Failure, Tried};

/// An archive.
pub(super) enum Source {
    Bytes(Vec<u8>),
    File(PathBuf),
}

/// What a member is.
pub(super) enum Kind {
    File,
    Dir,
    Link(String),
    Hardlink(String),
    Other(&'static str),
}

/// One member.
pub(super) struct Member<'m> {
    pub name: String,
    pub kind: Kind,
    pub mode: u32,
    pub size: u64,
    pub mtime: i64,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub user: Option<String>,
    pub group: Option<String>,
    reader: &'m mut dyn Read,
}

impl Member<'_> {
    /// Its content, for once.
    pub(super) fn content(&mut self, cx: &mut Context<'_>, near: &Path) -> Result<Content, Failure> {
        super::unarchive::keep(cx, self.reader, self.size, near)
    }
}

/// What is done with each member.
type Visit<'v> = dyn FnMut(&mut Context<'_>, &mut Member<'_>) -> Result<(), Failure> + 'v;

trait Input: Read + Seek {}
impl<T: Read + Seek> Input for T {}

fn open(source: &Source) -> Result<Box<dyn Input + '_>, Failure> {
    Ok(match source {
        Source::Bytes(bytes) => Box::new(Cursor::new(bytes.as_slice())),
        Source::File(path) => Box::new(BufReader::with_capacity(256 * 1024, File::open(path).tried(|| format!("Source '{}' not readable", path.display()))?)),
    })
}

/// Visits every member in order; the name of Ansible's handler for this kind of archive.
pub(super) fn read(cx: &mut Context<'_>, source: &Source, visit: &mut Visit<'_>) -> Result<&'static str, Failure> {
    let mut input = open(source)?;
    let mut magic = [0; 262];
    let length = fill(&mut input, &mut magic)?;
    input.seek(SeekFrom::Start(0))?;
    match &magic[..length] {
        [b'P', b'K', 3 | 5, ..] => {
            zip(cx, input, visit)?;
            Ok("ZipArchive")
        }
        [0x1f, 0x8b, ..] => {
            tar(cx, flate2::read::MultiGzDecoder::new(input), visit)?;
            Ok("TgzArchive")
        }
        [b'B', b'Z', b'h', ..] => {
            tar(cx, bzip2::read::MultiBzDecoder::new(input), visit)?;
            Ok("TarBzipArchive")
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            let plain = unpack_xz(cx, input)?;
            tar(cx, File::open(&plain)?, visit)?;
            Ok("TarXzArchive")
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Err("Failed to find handler: zstd archives are not supported; gzip, bzip2, xz, tar and zip are".into()),
        bytes if bytes.get(257..262) == Some(b"ustar") || bytes.len() == 262 && bytes[..100].iter().any(|b| *b != 0) => {
            tar(cx, input, visit).map_err(|failure| Failure { msg: format!("Failed to find handler, or a damaged archive: {}", failure.msg), ..failure })?;
            Ok("TarArchive")
        }
        _ => Err("Failed to find handler: this is no tar, gzip, bzip2, xz or zip archive".into()),
    }
}

fn fill(input: &mut dyn Input, buffer: &mut [u8]) -> Result<usize, Failure> {
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..])? {
            0 => break,
            n => length += n,
        }
    }
    Ok(length)
}

/// xz is unpacked into a file: its decoder writes and cannot be read from.
fn unpack_xz(cx: &mut Context<'_>, input: Box<dyn Input + '_>) -> Result<PathBuf, Failure> {
    let path = cx.scratch(Path::new("/var/tmp/x"), b"")?;
    let mut file = io::BufWriter::new(std::fs::OpenOptions::new().append(true).open(&path)?);
    lzma_rs::xz_decompress(&mut BufReader::new(input), &mut file).map_err(|error| Failure::new(format!("the archive is damaged: {error:?}")))?;
    io::Write::flush(&mut file)?;
    Ok(path)
}

fn damaged() -> String {
    "the archive is damaged".into()
}

fn tar(cx: &mut Context<'_>, input: impl Read, visit: &mut Visit<'_>) -> Result<(), Failure> {
    let mut archive = tar::Archive::new(input);
    for entry in archive.entries().tried(damaged)? {
        let mut entry = entry.tried(damaged)?;
        let header = entry.header();
        let link = || -> Result<String, Failure> {
            let target = entry.link_name_bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            target.ok_or_else(|| Failure::new("a link of the archive has no target"))
        };
        let kind = match header.entry_type() {
            tar::EntryType::Directory => Kind::Dir,
            tar::EntryType::Symlink => Kind::Link(link()?),
            tar::EntryType::Link => Kind::Hardlink(link()?),
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => Kind::File,
            tar::EntryType::XGlobalHeader | tar::EntryType::XHeader => continue,
            tar::EntryType::Char | tar::EntryType::Block => Kind::Other("a device"),
            tar::EntryType::Fifo => Kind::Other("a named pipe"),
            _ => Kind::Other("of an unknown kind"),
        };
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).filter(|name| !name.is_empty());
        let id = |id: io::Result<u64>| id.ok().and_then(|id| u32::try_from(id).ok());
        let mut member = Member {
            name: String::from_utf8_lossy(&entry.path_bytes()).into_owned(),
            kind,
            mode: header.mode().tried(damaged)? & 0o7777,
            size: entry.size(),
            mtime: header.mtime().tried(damaged)? as i64,
            uid: id(header.uid()),
            gid: id(header.gid()),
            user: text(header.username_bytes()),
            group: text(header.groupname_bytes()),
            reader: &mut io::empty(),
        };
        member.reader = &mut entry;
        visit(cx, &mut member)?;
    }
    Ok(())
}

fn zip(cx: &mut Context<'_>, input: Box<dyn Input + '_>, visit: &mut Visit<'_>) -> Result<(), Failure> {
    let broken = |error: zip::result::ZipError| Failure::new(format!("the archive is damaged: {error}"));
    let mut archive = zip::ZipArchive::new(input).map_err(broken)?;
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).map_err(broken)?;
        let mode = file.unix_mode();
        let is_link = mode.is_some_and(|mode| mode & 0o170_000 == 0o120_000);
        let kind = if file.is_dir() {
            Kind::Dir
        } else if is_link {
            let mut target = String::new();
            file.read_to_string(&mut target).tried(damaged)?;
            Kind::Link(target)
        } else {
            Kind::File
        };
        let default = if file.is_dir() { 0o755 } else { 0o644 };
        let mut member = Member {
            name: file.name().map_err(broken)?.into_owned(),
            kind,
            mode: mode.map_or(default, |mode| mode & 0o7777),
            size: file.size(),
            mtime: file.last_modified().map_or(0, zip_time),
            uid: None,
            gid: None,
            user: None,
            group: None,
            reader: &mut io::empty(),
        };
        if member.mode == 0 {
            member.mode = default;
        }
        member.reader = &mut file;
        visit(cx, &mut member)?;
    }
    Ok(())
}

/// zip keeps local time.
fn zip_time(time: zip::DateTime) -> i64 {
    use chrono::{Local, NaiveDate, TimeZone};
    let date = NaiveDate::from_ymd_opt(i32::from(time.year()), u32::from(time.month()), u32::from(time.day()));
    let moment = date.and_then(|date| date.and_hms_opt(u32::from(time.hour()), u32::from(time.minute()), u32::from(time.second())));
    moment.and_then(|moment| Local.from_local_datetime(&moment).earliest()).map_or(0, |moment| moment.timestamp())
}
