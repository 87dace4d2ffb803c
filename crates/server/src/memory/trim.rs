//! What was freed, given back to the system: the allocator keeps it otherwise, and what is held would not sink.

/// Gives back what is free.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn give_back() {
    // SAFETY: malloc_trim takes an integer, locks the arenas that it looks at, and touches free memory only.
    let _was_released = unsafe { libc::malloc_trim(0) };
}

/// Other allocators do so by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn give_back() {}
