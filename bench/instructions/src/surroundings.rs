//! What the counts depend on beside the code: with another compiler, C library or set of processor features they are others.

use std::process::Command;

/// What is counted with, each a line of text.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Surroundings {
    /// The compiler, and the processors that it compiled for.
    pub compiler: String,
    /// Valgrind, which decides which processor the program sees.
    pub valgrind: String,
    /// The C library: its allocator and its memcpy are counted too.
    pub library: String,
    /// What of that processor is looked for when the program runs.
    pub processor: String,
}

impl Surroundings {
    /// Those of this program, for a valgrind of that version and the processor that a program sees in it.
    pub(crate) fn here(valgrind: String, processor: String) -> Self {
        Surroundings { compiler: env!("COMPILER").to_owned(), valgrind, library: library(), processor }
    }

    /// Names and values.
    pub(crate) fn parts(&self) -> [(&'static str, &str); 4] {
        [
            ("compiler", &self.compiler),
            ("valgrind", &self.valgrind),
            ("library", &self.library),
            ("processor", &self.processor),
        ]
    }

    /// The value of that name.
    pub(crate) fn part_mut(&mut self, name: &str) -> Option<&mut String> {
        match name {
            "compiler" => Some(&mut self.compiler),
            "valgrind" => Some(&mut self.valgrind),
            "library" => Some(&mut self.library),
            "processor" => Some(&mut self.processor),
            _ => None,
        }
    }

    /// How these differ from those `now`; empty if they don't.
    pub(crate) fn differences(&self, now: &Surroundings) -> String {
        let pairs = self.parts().into_iter().zip(now.parts());
        let differing = pairs.filter(|(recorded, now)| recorded != now);
        let texts = differing.map(|((name, recorded), (_, now))| format!("{name} {recorded}, this is {now}"));
        texts.collect::<Vec<_>>().join("; ")
    }
}

/// What the program sees of the processor, of what its libraries look for: to be asked under valgrind.
pub(crate) fn processor() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return "with AVX2";
    }
    "without AVX2"
}

fn library() -> String {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    match said {
        Ok(said) if said.status.success() => String::from_utf8_lossy(&said.stdout).trim().to_owned(),
        _ => "not glibc".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_with_both_values() {
        let here = Surroundings::here("valgrind-3.19.0".to_owned(), "with AVX2".to_owned());
        assert!(here.compiler.starts_with("rustc "), "{here:?}");
        assert_eq!(here.differences(&here), "");
        let other = Surroundings { valgrind: "valgrind-3.24.0".to_owned(), ..here.clone() };
        assert_eq!(here.differences(&other), "valgrind valgrind-3.19.0, this is valgrind-3.24.0");
    }
}
