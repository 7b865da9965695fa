//! A ring with its buffers, behind an interface that is safe to use. The only unsafe code: what is submitted refers to memory that
//! must outlive the operation. Received bytes lie in buffers that this file owns; sent bytes live for the whole program.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use io_uring::types::{BufRingEntry, Fd, Fixed, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use socket2::Socket;

const ENTRIES: u32 = 1024;
const SLOTS: u32 = 16384; // at the most as many as the process may open
const GROUP: u16 = 0;
const PAGE: usize = 4096;
const POLL_FIRST: u16 = 1; // IORING_RECVSEND_POLL_FIRST

const ACCEPT: u64 = 0;
const RECEIVE: u64 = 1;
const QUIET: u64 = 2; // sends and closes

/// How the ring is set up.
#[derive(Debug)]
pub struct Setup {
    /// Sockets live in the ring's own table.
    pub direct: bool,
    /// A close waits for the send before it, where it would only give the descriptor back while the send goes on.
    pub link: bool,
    /// A kernel thread takes what is submitted.
    pub sqpoll: bool,
    /// Sends and closes that went well are told too.
    pub completions: bool,
    /// The first try to receive waits for an event.
    pub poll_first: bool,
    /// Buffers to receive into, a power of two.
    pub buffers: u16,
    /// Bytes of each.
    pub buffer_size: usize,
}

/// What has happened.
#[derive(Debug)]
pub enum Done<'a> {
    /// A connection came.
    Accepted(u32),
    /// No more will come until `accept` is called again.
    AcceptEnded,
    /// Bytes came; without `more`, no others will until `receive` is called again.
    Received { slot: u32, bytes: &'a [u8], more: bool },
    /// There was no buffer for what came.
    NoBuffer(u32),
    /// The peer has closed, or the connection has failed.
    Ended(u32),
}

/// A ring and the buffers that it receives into.
pub struct Ring {
    uring: IoUring,
    setup_direct: bool,
    quiet: squeue::Flags,
    poll_first: bool,
    link: bool,
    buffers: Buffers,
    done: std::vec::IntoIter<(u64, i32, u32)>,
    spare: Vec<(u64, i32, u32)>,
    /// The buffer that the last `Done` was read from.
    lent: Option<u16>,
}

impl Ring {
    pub fn new(setup: &Setup) -> io::Result<Self> {
        let mut builder = IoUring::builder();
        builder.setup_single_issuer().setup_submit_all().setup_cqsize(8192).setup_no_sqarray();
        if setup.sqpoll {
            builder.setup_sqpoll(100);
        } else {
            builder.setup_coop_taskrun().setup_defer_taskrun();
        }
        let uring = builder.build(ENTRIES)?;
        if setup.direct {
            uring.submitter().register_files_sparse(SLOTS)?;
        }
        let buffers = Buffers::new(setup.buffers, setup.buffer_size);
        // SAFETY: the entries are page-aligned and stay where they are until the ring is gone: see the order of drops
        unsafe {
            uring.submitter().register_buf_ring_with_flags(buffers.entries as u64, setup.buffers, GROUP, 0)?
        };
        let quiet = if setup.completions { squeue::Flags::empty() } else { squeue::Flags::SKIP_SUCCESS };
        Ok(Self {
            uring,
            setup_direct: setup.direct,
            quiet,
            poll_first: setup.poll_first,
            link: setup.link,
            buffers,
            done: Vec::new().into_iter(),
            spare: Vec::new(),
            lent: None,
        })
    }

    /// Connections come from now on.
    pub fn accept(&mut self, listener: &Socket) -> io::Result<()> {
        let entry = opcode::AcceptMulti::new(Fd(listener.as_raw_fd())).allocate_file_index(self.setup_direct);
        let flags = if self.setup_direct { 0 } else { libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK };
        self.push(entry.flags(flags).build().user_data(ACCEPT << 32))
    }

    /// What comes on `slot` is received, once or as long as `more` says so.
    pub fn receive(&mut self, slot: u32, multishot: bool) -> io::Result<()> {
        let first = if self.poll_first { POLL_FIRST } else { 0 };
        let entry = match (multishot, self.setup_direct) {
            (true, true) => opcode::RecvMulti::new(Fixed(slot), GROUP).build(),
            (true, false) => opcode::RecvMulti::new(Fd(slot as i32), GROUP).build(),
            (false, true) => opcode::Recv::new(Fixed(slot), ptr::null_mut(), 0)
                .buf_group(GROUP)
                .ioprio(first)
                .build()
                .flags(squeue::Flags::BUFFER_SELECT),
            (false, false) => opcode::Recv::new(Fd(slot as i32), ptr::null_mut(), 0)
                .buf_group(GROUP)
                .ioprio(first)
                .build()
                .flags(squeue::Flags::BUFFER_SELECT),
        };
        self.push(entry.user_data(RECEIVE << 32 | u64::from(slot)))
    }

    /// Sends all of `bytes`.
    pub fn send(&mut self, slot: u32, bytes: &'static [u8]) -> io::Result<()> {
        let entry = self.send_entry(slot, bytes).flags(self.quiet);
        self.push(entry)
    }

    /// Sends all of `bytes`, then closes.
    pub fn send_and_close(&mut self, slot: u32, bytes: &'static [u8]) -> io::Result<()> {
        let link = if self.link { squeue::Flags::IO_HARDLINK } else { squeue::Flags::empty() };
        let send = self.send_entry(slot, bytes).flags(self.quiet | link);
        self.push(send)?;
        self.close(slot)
    }

    /// Closes.
    pub fn close(&mut self, slot: u32) -> io::Result<()> {
        let entry = if self.setup_direct {
            opcode::Close::new(Fixed(slot)).build()
        } else {
            opcode::Close::new(Fd(slot as i32)).build()
        };
        self.push(entry.user_data(QUIET << 32).flags(self.quiet))
    }

    /// Hands over what is to be done and waits until `wanted` things have happened, or some have and `longest` is over.
    pub fn submit_and_wait(&mut self, wanted: usize, longest: Duration) -> io::Result<()> {
        let waited = if wanted > 1 {
            // the least wait, for `wanted`; after that the first one ends it
            let timeout = Timespec::from(Duration::from_secs(3600));
            let arguments = SubmitArgs::new().timespec(&timeout).min_wait_usec(longest.as_micros() as u32);
            self.uring.submitter().submit_with_args(wanted, &arguments)
        } else {
            self.uring.submit_and_wait(1)
        };
        match waited {
            Ok(_) => {}
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINTR | libc::EBUSY | libc::ETIME)) => {}
            Err(error) => return Err(error),
        }
        let mut done = std::mem::take(&mut self.spare);
        done.extend(self.uring.completion().map(|entry| (entry.user_data(), entry.result(), entry.flags())));
        self.done = done.into_iter();
        Ok(())
    }

    /// The next thing that has happened.
    pub fn next_done(&mut self) -> Option<Done<'_>> {
        if let Some(buffer) = self.lent.take() {
            self.buffers.give_back(buffer);
        }
        loop {
            let (data, result, flags) = self.done.next()?;
            let slot = data as u32;
            let more = cqueue::more(flags);
            match data >> 32 {
                ACCEPT if result >= 0 && !more => {
                    // the next accept is asked for when this one's connection has been told of: rare, so by a second entry
                    let rest: Vec<_> = std::iter::once((ACCEPT << 32, -libc::ECANCELED, 0))
                        .chain(self.done.by_ref())
                        .collect();
                    self.done = rest.into_iter();
                    return Some(Done::Accepted(result as u32));
                }
                ACCEPT if result >= 0 => return Some(Done::Accepted(result as u32)),
                ACCEPT if !more => return Some(Done::AcceptEnded),
                RECEIVE if result > 0 => {
                    let buffer = cqueue::buffer_select(flags)?;
                    self.lent = Some(buffer);
                    return Some(Done::Received {
                        slot,
                        bytes: self.buffers.bytes(buffer, result as usize),
                        more,
                    });
                }
                RECEIVE if result == -libc::ENOBUFS => return Some(Done::NoBuffer(slot)),
                RECEIVE if !more => return Some(Done::Ended(slot)),
                _ => {}
            }
        }
    }

    fn send_entry(&self, slot: u32, bytes: &'static [u8]) -> squeue::Entry {
        let (start, length) = (bytes.as_ptr(), bytes.len() as u32);
        let flags = libc::MSG_NOSIGNAL | libc::MSG_WAITALL;
        let entry = if self.setup_direct {
            opcode::Send::new(Fixed(slot), start, length).flags(flags).build()
        } else {
            opcode::Send::new(Fd(slot as i32), start, length).flags(flags).build()
        };
        entry.user_data(QUIET << 32)
    }

    fn push(&mut self, entry: squeue::Entry) -> io::Result<()> {
        // SAFETY: an entry refers to the buffers of this ring, which live as long as it does, or to bytes that live for ever
        while unsafe { self.uring.submission().push(&entry) }.is_err() {
            self.uring.submit()?;
        }
        Ok(())
    }
}

/// Connections come only when they have something to say.
pub fn defer_accept(listener: &Socket) -> io::Result<()> {
    let second: libc::c_int = 1;
    let (start, length) = (ptr::from_ref(&second).cast(), size_of_val(&second) as libc::socklen_t);
    // SAFETY: the option is read from a local, which is as long as it says
    let code = unsafe {
        libc::setsockopt(listener.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, start, length)
    };
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Buffers that the kernel takes from a ring of their own, and that are given back there.
struct Buffers {
    entries: *mut BufRingEntry,
    bytes: Box<[u8]>,
    size: usize,
    mask: u16,
    tail: u16,
}

impl Buffers {
    fn new(count: u16, size: usize) -> Self {
        assert!(count.is_power_of_two(), "a ring's length is a power of two");
        let layout = std::alloc::Layout::array::<BufRingEntry>(count.into())
            .and_then(|layout| layout.align_to(PAGE))
            .expect("32,768 at the most");
        // SAFETY: the layout is not empty. Never freed: the ring is the program's only one
        let entries = unsafe { std::alloc::alloc_zeroed(layout) }.cast();
        let mut buffers = Self {
            entries,
            bytes: vec![0; size * usize::from(count)].into(),
            size,
            mask: count - 1,
            tail: 0,
        };
        for buffer in 0..count {
            buffers.give_back(buffer);
        }
        buffers
    }

    fn bytes(&self, buffer: u16, length: usize) -> &[u8] {
        let start = usize::from(buffer) * self.size;
        &self.bytes[start..start + length]
    }

    fn give_back(&mut self, buffer: u16) {
        let start = self.bytes[usize::from(buffer) * self.size..].as_mut_ptr();
        // SAFETY: masked, so inside of the entries; the kernel reads an entry only once the tail has passed it
        unsafe {
            let entry = &mut *self.entries.add(usize::from(self.tail & self.mask));
            entry.set_addr(start as u64);
            entry.set_len(self.size as u32);
            entry.set_bid(buffer);
            self.tail = self.tail.wrapping_add(1);
            // the tail lies in the first entry, where the kernel expects it to be stored with release order
            (*BufRingEntry::tail(self.entries).cast::<AtomicU16>()).store(self.tail, Ordering::Release);
        }
    }
}
