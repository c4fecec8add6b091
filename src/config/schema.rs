//! The JSON Schema of the config, with which editors check and complete it. A test keeps the file
//! up to date with the types in `raw.rs`.

/// The JSON Schema of the config.
pub const SCHEMA: &str = include_str!("../../config.schema.json");

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::path::Path;

    use schemars::generate::SchemaSettings;
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use serde_json::{Value, json};

    use crate::config::batch::{FORMS, LATE, MODES};
    use crate::config::checks::CHECKS;
    use crate::config::duplicates::NEAR;
    use crate::config::endpoint::TASKS;
    use crate::config::options::{ENGLISH, JSON, TIERS, TOKEN_LIMITS};
    use crate::config::raw::{NumberOrAuto, OneOrMore, RawConfig, RawKey};
    use crate::config::resolve::{LANGUAGES, MODELS, PROFILES, ROUTES, TRANSLATORS};
    use crate::config::run::LOGS;
    use crate::config::spanned::Spanned;
    use crate::config::{OutputFormat, Overrides, show};
    use crate::dialect;
    use crate::model::Action;

    impl<T: JsonSchema> JsonSchema for Spanned<T> {
        fn schema_name() -> Cow<'static, str> {
            T::schema_name()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            T::json_schema(generator)
        }
    }

    impl JsonSchema for RawKey {
        fn schema_name() -> Cow<'static, str> {
            "Key".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let place = json!({"type": "string"});
            json_schema!({
                "type": "object",
                "properties": {"env": place, "file": place},
                "additionalProperties": false,
                "minProperties": 1,
                "maxProperties": 1,
            })
        }
    }

    impl JsonSchema for OneOrMore {
        fn schema_name() -> Cow<'static, str> {
            "OneOrMore".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({"type": ["string", "array"], "items": {"type": "string"}})
        }
    }

    impl JsonSchema for NumberOrAuto {
        fn schema_name() -> Cow<'static, str> {
            "NumberOrAuto".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({"type": ["integer", "string"], "pattern": "^auto$"})
        }
    }

    fn names<T>(choices: &[(&'static str, T)]) -> Vec<&'static str> {
        choices.iter().map(|(name, _)| *name).collect()
    }

    /// The keys whose values are names, with these names. The keys are JSON pointers below
    /// `/properties`.
    fn choices() -> Vec<(String, Vec<&'static str>)> {
        let endpoint = |key: &str| format!("endpoint/items/properties/{key}");
        let dialects = dialect::facts().iter().map(|facts| facts.name).collect();
        let mut choices = vec![
            ("output/properties/profile".to_owned(), names(PROFILES)),
            ("output/properties/formats/items".to_owned(), names(OutputFormat::ALL)),
            ("page/properties/language".to_owned(), names(LANGUAGES)),
            ("summary/properties/route".to_owned(), names(ROUTES)),
            ("duplicates/properties/near".to_owned(), names(NEAR)),
            ("run/properties/log".to_owned(), names(LOGS)),
            ("embedded/properties/translator".to_owned(), names(TRANSLATORS)),
            ("embedded/properties/model".to_owned(), names(MODELS)),
            (endpoint("does/items"), names(TASKS)),
            (endpoint("dialect"), dialects),
            (endpoint("json"), names(JSON)),
            (endpoint("token_limit"), names(TOKEN_LIMITS)),
            (endpoint("english"), names(ENGLISH)),
            (endpoint("tier"), names(TIERS)),
            (endpoint("batch/properties/mode"), names(MODES)),
            (endpoint("batch/properties/form"), names(FORMS)),
            (endpoint("batch/properties/late"), names(LATE)),
        ];
        choices.extend(CHECKS.iter().map(|check| (format!("checks/properties/{}", check.code()), names(&Action::ALL))));
        choices.push(("checks/properties/review".to_owned(), names(&Action::ALL)));
        choices
    }

    /// Leaves out null, which TOML does not have, widths of numbers, and line ends in descriptions.
    fn simplify(value: &mut Value) {
        if let Some(kinds) = value.get_mut("type").and_then(Value::as_array_mut) {
            kinds.retain(|kind| kind != "null");
            if let [only] = kinds.as_slice() {
                value["type"] = only.clone();
            }
        }
        if let Some(Value::String(description)) = value.get_mut("description") {
            *description = description.replace('\n', " ");
        }
        if value.get("format").is_some_and(Value::is_string) {
            value.as_object_mut().unwrap().remove("format");
        }
        match value {
            Value::Object(object) => object.values_mut().for_each(simplify),
            Value::Array(list) => list.iter_mut().for_each(simplify),
            _ => {}
        }
    }

    fn schema() -> String {
        // The version of JSON Schema that editors' TOML extensions know.
        let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
        let mut generator = settings.into_generator();
        let made = RawConfig::json_schema(&mut generator).to_value();
        let mut schema = json!({"$schema": generator.settings().meta_schema, "title": "The config of depeche"});
        schema.as_object_mut().unwrap().extend(made.as_object().unwrap().clone());
        simplify(&mut schema);
        for (key, names) in choices() {
            let found = schema.pointer_mut(&format!("/properties/{key}")).unwrap_or_else(|| panic!("no key {key}"));
            found["enum"] = json!(names);
        }
        format!("{}\n", serde_json::to_string_pretty(&schema).unwrap())
    }

    /// Fails if a type in `raw.rs` has changed. `WRITE_SCHEMA=1 cargo test schema` then writes the
    /// file again.
    #[test]
    fn the_file_is_up_to_date() {
        let made = schema();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.schema.json");
        if std::env::var_os("WRITE_SCHEMA").is_some() {
            std::fs::write(&file, &made).unwrap();
        }
        assert!(std::fs::read_to_string(&file).unwrap() == made, "run `WRITE_SCHEMA=1 cargo test schema`");
    }

    /// `depeche config show` lists every key of the schema, except the keys of a template and of
    /// tables that it shows as the user wrote them.
    #[test]
    fn every_key_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let endpoints = [("openai", "u", "openai"), ("deepl", "d", "deepl"), ("ollama", "o", "ollama")].map(|(name, key, dialect)| {
            format!(
                "[[endpoint]]\nname = \"{name}\"\ndoes = [\"translate\"]\ndialect = \"{dialect}\"\nurl = \"http://localhost:1/{key}\"\n\
                 model = \"m\"\nkey = {{ file = \"key\" }}\n"
            )
        });
        std::fs::write(folder.path().join("key"), "sk-test").unwrap();
        let mail = "[mail]\nsmtp = \"smtp://localhost\"\nfrom = \"a@example.org\"\nto = \"b@example.org\"\n";
        let embedded = "[[endpoint]]\nname = \"embedded\"\ndoes = [\"summarise\"]\ndialect = \"embedded\"\n";
        std::fs::write(&path, endpoints.concat() + mail + embedded).unwrap();
        let shown = show(Some(&path), &Overrides::default(), &dialect::facts()).unwrap();
        let listed = |head: &str, key: &str| {
            shown
                .sections
                .iter()
                .filter(|section| section.head == head)
                .any(|section| section.unset.contains(&key) || section.settings.iter().any(|setting| setting.key == key))
        };
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let mut keys = 0;
        for (section, value) in schema["properties"].as_object().unwrap() {
            let (head, value) = match section.as_str() {
                "prompts" => continue,
                "endpoint" => ("[[endpoint]]".to_owned(), &value["items"]),
                section => (format!("[{section}]"), value),
            };
            for key in value["properties"].as_object().unwrap().keys().filter(|key| !["fields", "template"].contains(&key.as_str())) {
                assert!(listed(&head, key), "{head} {key} is not shown");
                keys += 1;
            }
        }
        assert!(keys > 50, "{keys}");
    }
}
