//! The catalogue of a folder: one line per kind gives the TOML tag, the dispatch, the `list` entry, the
//! JSON Schema and the reference page.

use serde::Serialize;

/// What a catalogue says about one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Kind {
    /// The tag in TOML.
    pub name: &'static str,
    /// One sentence: what it models.
    pub doc: &'static str,
    /// A TOML value of this kind that parses.
    pub example: &'static str,
}

/// What every kind says about itself, beside its behaviour.
pub trait Described {
    /// One sentence: what it models.
    const DOC: &'static str;
    /// A TOML value that parses as this kind, its tag included.
    const EXAMPLE: &'static str;
}

/// Declares a closed choice of kinds as an externally tagged enum.
///
/// `catalogue! { /// docs pub enum Policy: dyn Order { "geo" Geo(Geo), … } }` gives the serde variants (tags
/// in kebab case), `Policy::KINDS`, and `Policy::kind(&self) -> &dyn Order` for dispatch.
#[macro_export]
macro_rules! catalogue {
    ($(#[$doc:meta])* pub enum $name:ident: dyn $behaviour:ident { $($tag:literal $variant:ident($kind:ty)),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name {
            $(
                #[doc = concat!("`", $tag, "`")]
                #[serde(rename = $tag)]
                $variant($kind),
            )+
        }

        impl $name {
            /// Every kind, in the order of the catalogue.
            pub const KINDS: &'static [$crate::base::catalogue::Kind] = &[
                $($crate::base::catalogue::Kind {
                    name: $tag,
                    doc: <$kind as $crate::base::catalogue::Described>::DOC,
                    example: <$kind as $crate::base::catalogue::Described>::EXAMPLE,
                }),+
            ];

            /// The behaviour of the kind that was chosen.
            pub fn kind(&self) -> &dyn $behaviour {
                match self { $(Self::$variant(kind) => kind),+ }
            }
        }
    };
}
