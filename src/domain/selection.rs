//! `"all"` or a list of names.

use core::fmt;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Which members of a kind are meant: every one, or those named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selection {
    /// Every one, also those that a variant adds.
    All,
    /// These.
    Named(Vec<String>),
}

impl<'de> Deserialize<'de> for Selection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Selection;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"all\" or a list of names")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Selection, E> {
                match text {
                    "all" => Ok(Selection::All),
                    other => {
                        Err(E::custom(format!("expected \"all\" or a list of names: for one, write [\"{other}\"]")))
                    }
                }
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Selection, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Ok(Selection::Named(names))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for Selection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Named(names) => names.serialize(serializer),
        }
    }
}

impl JsonSchema for Selection {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Selection".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "\"all\", or a list of names.",
            "anyOf": [{ "const": "all" }, { "type": "array", "items": { "type": "string" } }]
        })
    }
}
