//! Names that nobody can guess.

/// A prefix and 80 random bits.
///
/// # Panics
/// When the operating system has no random numbers, without which nothing here is safe.
pub(crate) fn new_id(prefix: &str) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).expect("invariant: the operating system has random numbers");
    let letters = random.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)]));
    format!("{prefix}{}", letters.collect::<String>())
}
