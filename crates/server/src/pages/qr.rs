//! A QR code drawn as SVG, dark on light in every colour scheme: cameras read it more surely.

use std::fmt::Write;

use qrcode::{Color, QrCode};

/// The picture of `text`, or nothing where it is too long for a QR code (about 2,300 bytes).
pub fn svg(text: &str) -> Option<String> {
    const QUIET: usize = 4;
    let code = QrCode::new(text).ok()?;
    let width = code.width();
    let side = width + 2 * QUIET;
    let mut path = String::new();
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (at % width + QUIET, at / width + QUIET);
            write!(path, "M{x} {y}h1v1h-1z").expect("a String takes everything");
        }
    }
    Some(format!(
        r##"<svg class="qr" viewBox="0 0 {side} {side}" role="img" aria-label="QR code of the secret" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d="{path}"/></svg>"##
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_holds_no_style_and_no_text() {
        let picture = svg("otpauth://totp/Strongroom:ada?secret=JBSWY3DPEHPK3PXP").expect("short enough");
        assert!(picture.starts_with("<svg"));
        assert!(!picture.contains("style"));
        assert!(!picture.contains("JBSWY3DPEHPK3PXP"));
    }

    #[test]
    fn what_is_too_long_has_no_picture() {
        assert!(svg(&"x".repeat(10_000)).is_none());
    }
}
