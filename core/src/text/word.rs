//! Values that are written as one word of a fixed set, such as `algorithm = "token_bucket"`.

/// A type whose values are words of the attribute and of the configuration file.
pub trait Word: Copy + 'static {
    /// Every value, in the order in which errors list them.
    const ALL: &'static [Self];
    /// The name of such a word in errors; `None` stands for the argument's name.
    const NOUN: Option<&'static str> = None;

    /// Returns the word for this value.
    fn as_str(self) -> &'static str;

    /// Returns the value of this word.
    fn of_word(word: &str) -> Option<Self> {
        let mut values = Self::ALL.iter().copied();
        values.find(|value| value.as_str() == word)
    }

    /// Returns the words for all values.
    fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|value| value.as_str()).collect()
    }
}
