//! Refusals of a form: a summary on top that links to the fields, and a message beside each field.

use askama::Template;
use askama::filters::HtmlSafe;

/// What was wrong with a form that was sent; empty for a form nobody has sent yet.
#[derive(Clone, Default)]
pub struct FormErrors {
    errors: Vec<FieldError>,
}

/// One refusal.
#[derive(Clone)]
pub struct FieldError {
    /// Name of the field, empty if the form as a whole was refused.
    pub field: String,
    /// What is wrong and what to do, one sentence or two.
    pub message: String,
}

/// A labelled input with its hint and its refusal. Built by [`FormErrors::field`] inside templates.
#[derive(Template)]
#[template(path = "parts/field.html")]
pub struct Field<'a> {
    name: &'a str,
    label: &'a str,
    kind: &'a str,
    value: &'a str,
    hint: &'a str,
    autocomplete: &'a str,
    numeric: bool,
    optional: bool,
    fixed: bool,
    code: bool,
    error: Option<&'a str>,
}

impl HtmlSafe for Field<'_> {}

impl FormErrors {
    /// A form without refusals.
    pub fn none() -> Self {
        Self::default()
    }

    /// One refusal; an empty `field` means the form as a whole.
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(field, message);
        errors
    }

    /// Adds a refusal; an empty `field` means the form as a whole.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError { field: field.into(), message: message.into() });
    }

    /// Whether nothing was refused.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// Every refusal, in order.
    pub fn all(&self) -> &[FieldError] {
        &self.errors
    }

    /// The first refusal of the field `name`.
    pub fn of(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|e| e.field == name).map(|e| e.message.as_str())
    }

    /// A required text input called `name`.
    pub fn field<'a>(&'a self, name: &'a str, label: &'a str) -> Field<'a> {
        Field {
            name,
            label,
            kind: "text",
            value: "",
            hint: "",
            autocomplete: "off",
            numeric: false,
            optional: false,
            fixed: false,
            code: false,
            error: self.of(name),
        }
    }

    /// A required password input called `name`: it has no value, whatever was typed before.
    pub fn password<'a>(&'a self, name: &'a str, label: &'a str, autocomplete: &'a str) -> Field<'a> {
        Field { kind: "password", autocomplete, ..self.field(name, label) }
    }
}

impl<'a> Field<'a> {
    /// The same field holding what was typed.
    pub fn value(self, value: &'a str) -> Self {
        debug_assert!(self.kind != "password", "a password is never shown again");
        Self { value, ..self }
    }

    /// The same field with a sentence under its label.
    pub fn hint(self, hint: &'a str) -> Self {
        Self { hint, ..self }
    }

    /// The same field for another kind of text, such as `email`.
    pub fn kind(self, kind: &'a str) -> Self {
        Self { kind, ..self }
    }

    /// The same field with a purpose that browsers and password managers know.
    pub fn autocomplete(self, autocomplete: &'a str) -> Self {
        Self { autocomplete, ..self }
    }

    /// The same field for digits.
    pub fn numeric(self) -> Self {
        Self { numeric: true, ..self }
    }

    /// The same field in the type of names and codes.
    pub fn code(self) -> Self {
        Self { code: true, ..self }
    }

    /// The same field, which may stay empty.
    pub fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// The same field, which shows a value that is already settled and is sent as it is.
    pub fn fixed(self, fixed: bool) -> Self {
        Self { fixed, ..self }
    }

    /// The ids of what describes this field, in the order they are read out.
    fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("hint-{}", self.name));
        let error = self.error.map(|_| format!("error-{}", self.name));
        hint.into_iter().chain(error).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_field_is_described_by_its_hint_and_its_refusal() {
        let errors = FormErrors::one("email", "That is not an address.");
        let html = errors.field("email", "Address").hint("Where mail goes.").value("a@b<").to_string();
        assert!(html.contains(r#"aria-describedby="hint-email error-email""#), "{html}");
        assert!(html.contains(r#"aria-invalid="true""#));
        assert!(html.contains("a@b&#60;"), "what was typed is kept, escaped: {html}");
    }

    #[test]
    fn a_field_without_refusal_is_not_marked_invalid() {
        let errors = FormErrors::one("email", "That is not an address.");
        let html = errors.field("name", "Name").to_string();
        assert!(!html.contains("aria-invalid"));
        assert!(!html.contains("aria-describedby"));
    }

    #[test]
    fn a_password_field_has_no_value() {
        let errors = FormErrors::one("password", "Wrong.");
        let html = errors.password("password", "Password", "current-password").to_string();
        assert!(!html.contains(" value="), "{html}");
    }
}
