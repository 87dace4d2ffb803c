//! Flags as they were given: texts, so that all layers are judged together and all problems told at once.

use std::{ffi::OsString, marker::PhantomData};

use clap::{
    Arg, ArgMatches, Args, Command, FromArgMatches,
    builder::{OsStringValueParser, PossibleValue, TypedValueParser},
    error::Error,
    parser::ValueSource,
};

/// The flags of a struct of options that were given.
#[derive(Debug, Clone)]
pub struct Flags<T> {
    given: GivenFlags,
    options: PhantomData<T>,
}

/// Flags that were given, by the keys of their options.
pub type GivenFlags = Vec<(String, OsString)>;

impl<T> Flags<T> {
    /// What was given.
    pub fn given(&self) -> &GivenFlags {
        &self.given
    }
}

impl<T: Args> Args for Flags<T> {
    fn augment_args(command: Command) -> Command {
        let defined = T::augment_args(Command::new("options"));
        let texts = defined.get_arguments().map(|arg| as_text(arg.clone()));
        command.args(texts)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flags::<T>::augment_args(command)
    }
}

impl<T: Args> FromArgMatches for Flags<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Flags<T>, Error> {
        let defined = T::augment_args(Command::new("options"));
        let given = defined.get_arguments().filter_map(|arg| {
            let id = arg.get_id().as_str();
            let texts = matches.try_get_many::<OsString>(id).ok().flatten()?;
            if matches.value_source(id) != Some(ValueSource::CommandLine) {
                return None;
            }
            let texts: Vec<OsString> = texts.cloned().collect();
            Some((id.to_owned(), texts.join(std::ffi::OsStr::new(","))))
        });
        Ok(Flags { given: given.collect(), options: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Flags::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The same argument, which takes any text. Its help stays, without the values of the environment: `config show` tells
/// those, and redacts.
fn as_text(arg: Arg) -> Arg {
    let choices = arg.get_possible_values();
    arg.value_parser(AnyText { choices }).hide_env_values(true)
}

/// Takes any text, and shows which ones are right.
#[derive(Clone)]
struct AnyText {
    choices: Vec<PossibleValue>,
}

impl TypedValueParser for AnyText {
    type Value = OsString;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<OsString, Error> {
        OsStringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        match self.choices.is_empty() {
            true => None,
            false => Some(Box::new(self.choices.iter().cloned())),
        }
    }
}
