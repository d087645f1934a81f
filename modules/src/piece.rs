//! Pieces of content on the wire: an LZ4 block behind the length of what is in it, where that is shorter than the content itself.
//!
//! Packing costs less than encrypting what it saves. Every piece stands for itself, so a piece that does not shrink travels as it is.

use std::io;

use crate::wire::{BLOB_PIECE, bad};

/// Less than this is not worth it.
const SMALL: usize = 512;

/// Appends the packed form of `bytes` to `out`; false (and nothing appended) where it would not be shorter by an eighth.
pub(crate) fn pack(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    if bytes.len() < SMALL || bytes.len() > BLOB_PIECE {
        return false;
    }
    let before = out.len();
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    let start = out.len();
    out.resize(start + lz4_flex::block::get_maximum_output_size(bytes.len()), 0);
    match lz4_flex::block::compress_into(bytes, &mut out[start..]) {
        Ok(length) if length < bytes.len() / 8 * 7 => {
            out.truncate(start + length);
            true
        }
        _ => {
            out.truncate(before);
            false
        }
    }
}

/// The content of a packed piece.
///
/// # Errors
/// It is damaged, or longer than a piece may be.
pub(crate) fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    let head = packed.first_chunk::<4>().ok_or_else(|| bad("a packed piece without a length"))?;
    let length = u32::from_be_bytes(*head) as usize;
    if length > BLOB_PIECE {
        return Err(bad(format!("a piece of {length} bytes")));
    }
    let mut bytes = vec![0; length];
    match lz4_flex::block::decompress_into(&packed[4..], &mut bytes) {
        Ok(count) if count == length => Ok(bytes),
        _ => Err(bad("a packed piece that is damaged")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(bytes: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![];
        pack(bytes, &mut out).then_some(out)
    }

    #[test]
    fn a_piece_that_repeats_itself_gets_shorter_and_comes_back() {
        for length in [SMALL, 70_000, BLOB_PIECE] {
            let bytes: Vec<u8> = b"0123456789".iter().copied().cycle().take(length).collect();
            let short = packed(&bytes).unwrap();
            assert!(short.len() < length / 2, "{length}");
            assert_eq!(unpack(&short).unwrap(), bytes);
        }
    }

    #[test]
    fn what_does_not_shrink_stays_as_it_is() {
        let mut state = 1u64;
        let noise = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        let noise: Vec<u8> = (0..BLOB_PIECE).map(noise).collect();
        let mut out = b"before".to_vec();
        assert!(!pack(&noise, &mut out));
        assert_eq!(out, b"before");
        assert_eq!(packed(b"short"), None);
        assert_eq!(packed(&vec![0; BLOB_PIECE + 1]), None);
    }

    #[test]
    fn damage_and_lies_about_the_length_are_refused() {
        let good = packed(&[7; 4000]).unwrap();
        let mut longer = good.clone();
        longer[..4].copy_from_slice(&4001u32.to_be_bytes());
        let mut huge = good.clone();
        huge[..4].copy_from_slice(&(BLOB_PIECE as u32 + 1).to_be_bytes());
        let cut = &good[..good.len() - 1];
        for wrong in [&longer[..], &huge, cut, &good[..3], &[]] {
            assert!(unpack(wrong).unwrap_err().to_string().starts_with("protocol error"), "{wrong:?}");
        }
    }
}
