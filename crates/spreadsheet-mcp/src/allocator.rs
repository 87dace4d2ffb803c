//! How memory is taken from the system and given back.

/// Lets all threads share two arenas, which keep some of what is freed.
///
/// The allocator of glibc opens up to eight arenas per core, each with its own free memory: threads that load workbooks in
/// turn would take several times what one of them needs. And it gives every large block back at once, to ask for it anew in
/// the next call.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn tune() {
    const ARENAS: i32 = 2;
    /// Free bytes at the end of an arena above which they are given back.
    const KEPT: i32 = 128 << 20;
    /// Bytes that an arena takes beyond those that it needs.
    const AHEAD: i32 = 4 << 20;
    /// Blocks from this size on come from the system and go back to it alone.
    const OWN: i32 = 32 << 20;
    let options = [
        (libc::M_ARENA_MAX, ARENAS),
        (libc::M_TRIM_THRESHOLD, KEPT),
        (libc::M_TOP_PAD, AHEAD),
        (libc::M_MMAP_THRESHOLD, OWN),
    ];
    for (option, value) in options {
        // SAFETY: mallopt takes two integers. No other thread runs yet that could allocate meanwhile. An option that it
        // does not know changes nothing.
        let _known = unsafe { libc::mallopt(option, value) };
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn tune() {}
