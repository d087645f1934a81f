//! Bytes on their way to a process.

use std::collections::VecDeque;

/// Small messages share a packet up to this size.
const PACKET: usize = 32_000;

/// What still has to be sent, and whether the end of input follows it.
#[derive(Debug, Default)]
pub struct Outbox {
    chunks: VecDeque<Vec<u8>>,
    sent_of_first: usize,
    queued: usize,
    closed: bool,
}

impl Outbox {
    /// Nothing to send yet.
    pub fn new() -> Outbox {
        Outbox::default()
    }

    /// These bytes, then the end of input.
    pub fn closed_after(bytes: Vec<u8>) -> Outbox {
        let mut outbox = Outbox::new();
        outbox.push(bytes);
        outbox.close();
        outbox
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        self.queued += bytes.len();
        match self.chunks.back_mut() {
            Some(last) if last.len() + bytes.len() <= PACKET => last.extend_from_slice(&bytes),
            _ => self.chunks.push_back(bytes),
        }
    }

    /// The end of input follows what is queued.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// The bytes to send next.
    pub fn next(&self) -> Option<&[u8]> {
        self.chunks.front().map(|first| &first[self.sent_of_first..])
    }

    /// That many of the next bytes were sent.
    pub fn sent(&mut self, count: usize) {
        self.sent_of_first += count;
        self.queued -= count;
        if self.chunks.front().is_some_and(|first| first.len() <= self.sent_of_first) {
            self.chunks.pop_front();
            self.sent_of_first = 0;
        }
    }

    /// Drops what was not sent, for a process that does not read any more.
    pub fn discard(&mut self) {
        self.chunks.clear();
        self.sent_of_first = 0;
        self.queued = 0;
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.queued
    }

    /// No bytes wait.
    pub fn is_empty(&self) -> bool {
        self.queued == 0
    }

    /// All was sent and the end of input is due.
    pub fn at_end(&self) -> bool {
        self.closed && self.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_order_and_small_messages_share_a_packet() {
        let mut outbox = Outbox::new();
        outbox.push(b"ab".to_vec());
        outbox.push(b"cd".to_vec());
        outbox.push(vec![b'x'; PACKET]);
        outbox.close();
        assert_eq!(outbox.next(), Some(&b"abcd"[..]));
        outbox.sent(3);
        assert_eq!(outbox.next(), Some(&b"d"[..]));
        outbox.sent(1);
        assert_eq!(outbox.next().map(<[u8]>::len), Some(PACKET));
        assert!(!outbox.at_end());
        outbox.sent(PACKET);
        assert!(outbox.at_end());
        assert_eq!(outbox.next(), None);
    }
}
