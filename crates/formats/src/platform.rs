//! Platform tags a wheel may carry: those with a published rule about what runs where, so not bare `linux_x86_64`.

use std::sync::LazyLock;

use regex::Regex;

const JOINT_LINUX: &str = "x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64";
const APPLE: &str = "ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2";

/// # Source
/// PEP 425, 513, 571, 599, 600 (manylinux), 656 (musllinux), 730 (iOS), 738 (Android), 783 (Emscripten).
static SUPPORTED: LazyLock<Regex> = LazyLock::new(|| {
    let alternatives = [
        "any|win32|win_arm64|win_amd64|win_ia64|linux_armv6l|linux_armv7l".to_owned(),
        "manylinux(1|2010)_(x86_64|i686)".to_owned(),
        "manylinux2014_(x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)".to_owned(),
        format!("manylinux_[0-9]+_[0-9]+_({JOINT_LINUX}|ppc64)"),
        format!("musllinux_[0-9]+_[0-9]+_({JOINT_LINUX})"),
        format!("macosx_10_[0-9]+_({APPLE})"),
        format!("macosx_(11|12|13|14|15|26)_0_({APPLE})"),
        "ios_[0-9]+_[0-9]+_(arm64|x86_64)_(iphoneos|iphonesimulator)".to_owned(),
        "android_[0-9]+_(armeabi_v7a|arm64_v8a|x86|x86_64)".to_owned(),
        "pyemscripten_[0-9]+_[0-9]+_wasm32".to_owned(),
    ];
    Regex::new(&format!("^(?:{})$", alternatives.join("|"))).expect("a constant pattern")
});

/// Whether wheels with this platform tag (one, already expanded) are accepted.
pub fn is_supported_platform(tag: &str) -> bool {
    SUPPORTED.is_match(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_without_a_published_rule_is_refused() {
        let refused = [
            "linux_x86_64",
            "linux_aarch64",
            "manylinux2010_aarch64",
            "manylinux3_x86_64",
            "musllinux_1_2_ppc64",
            "macosx_11_1_arm64",
            "macosx_16_0_arm64",
            "macosx_10_9_sparc",
            "ios_13_0_armv7_iphoneos",
            "android_21_mips",
            "ANY",
            "",
            "any ",
            "win64",
            "manylinux_2_x86_64",
            "xmanylinux_2_17_x86_64",
            "any\n",
            "pyodide_2024_0_wasm32",
        ];
        for tag in refused {
            assert!(!is_supported_platform(tag), "{tag:?}");
        }
    }

    #[test]
    fn the_platforms_of_real_wheels_are_accepted() {
        let accepted = [
            "any",
            "win32",
            "win_amd64",
            "win_arm64",
            "manylinux1_i686",
            "manylinux2014_ppc64",
            "manylinux_2_28_riscv64",
            "musllinux_1_2_aarch64",
            "macosx_10_9_universal2",
            "macosx_11_0_arm64",
            "macosx_26_0_x86_64",
            "ios_13_0_arm64_iphonesimulator",
            "android_24_arm64_v8a",
            "pyemscripten_2026_0_wasm32",
            "linux_armv7l",
        ];
        for tag in accepted {
            assert!(is_supported_platform(tag), "{tag:?}");
        }
    }
}
