//! Connections that are served together.
//!
//! What has come of many is read first, then all the answers are worked out, then they are written. So neither what the
//! system does for reading and for writing nor what this program does between them has to come into the processor's
//! caches for each request anew.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{INPUT, Worker};
use crate::connection::Next;
use crate::service::Service;
use crate::socket::Heard;

/// Connections of one round. With more, the first of them would wait for long.
const MOST: usize = 32;
/// Bytes of the input that a round fills before it ends. What is left is more than usual requests take.
const FULL: usize = INPUT / 2;

/// Those that have been heard, and are not answered.
#[derive(Debug, Default)]
pub(super) struct Round {
    members: Vec<Member>,
    /// The answers, as parts of the output; `None` where working them out has panicked.
    answers: Vec<(Range<usize>, Option<Next>)>,
    /// An output for what has to be done for one connection while the answers to the others lie in the first.
    output: Vec<u8>,
}

#[derive(Debug)]
struct Member {
    id: usize,
    /// What its progress was when it was heard.
    before: (usize, u64),
    heard: Heard,
}

impl<S: Service> Worker<'_, S> {
    /// Reads what has come of a connection, to be answered in this round. One that is not in the midst of things is driven.
    pub(super) fn hear(&mut self, id: usize) {
        let from = self.round.members.last().map_or(0, |member| member.heard.to);
        let socket = &mut self.sockets[id];
        if !socket.is_at_rest() {
            return self.drive(id);
        }
        let before = socket.progress();
        match socket.hear(from, &mut self.buffers, self.shared.tally) {
            Ok(heard) => {
                let is_full = heard.to > FULL || self.round.members.len() + 1 == MOST;
                self.round.members.push(Member { id, before, heard });
                if is_full {
                    self.end_round();
                }
            }
            Err(Some(driven)) => self.settle(id, before, driven),
            Err(None) => self.drive(id),
        }
    }

    /// Answers all that have been heard.
    #[inline]
    pub(super) fn end_round(&mut self) {
        if !self.round.members.is_empty() {
            self.answer_round();
        }
    }

    fn answer_round(&mut self) {
        let Round { mut members, mut answers, output } = std::mem::take(&mut self.round);
        self.buffers.output.clear();
        for Member { id, heard, .. } in &members {
            let from = self.buffers.output.len();
            let socket = &mut self.sockets[*id];
            let answer = || socket.answer(heard, &self.shared, &mut self.buffers);
            let next = catch_unwind(AssertUnwindSafe(answer)).ok();
            answers.push((from..self.buffers.output.len(), next));
        }
        let all = std::mem::replace(&mut self.buffers.output, output);
        for (Member { id, before, heard }, (part, next)) in members.drain(..).zip(answers.drain(..)) {
            let socket = &mut self.sockets[id];
            let driven = match next {
                Some(next) => {
                    socket.say(&all[part], next, heard.is_all, self.shared.tally, &mut self.buffers)
                }
                None => Some(self.drop_panicked(id)),
            };
            match driven {
                Some(driven) => self.settle(id, before, driven),
                None => self.drive(id),
            }
        }
        let output = std::mem::replace(&mut self.buffers.output, all);
        self.round = Round { members, answers, output };
    }
}
