//! `/files/…`: downloads, whole and in parts, and that they never become pages of this origin.

use axum::body::Body;
use axum::http::Method;
use sha2::{Digest as _, Sha256};

use crate::dist::{Dist, blake2_256, wheel};
use crate::given::{publisher, upload};
use crate::world::{World, both_engines};

/// Bytes that no compression makes smaller.
fn noise(count: u32) -> Vec<u8> {
    (0..count.div_ceil(32)).flat_map(|n| Sha256::digest(n.to_le_bytes())).collect()
}

/// A published wheel and its path.
async fn published(world: &World) -> (Dist, String) {
    let (_, token) = publisher(world, "ada").await;
    let dist = wheel("spam", "1.0").file("spam/data.bin", &noise(200_000)).build();
    assert_eq!(upload(world, &token, &dist).await.status(), 200);
    let digest = blake2_256(&dist.bytes);
    let path = format!("/files/{}/{}/{}/{}", &digest[..2], &digest[2..4], &digest[4..], dist.filename);
    (dist, path)
}

both_engines! {
    async fn a_file_and_its_metadata_are_the_bytes_that_the_index_promises(world: World) {
        let (dist, path) = published(&world).await;
        let listed = world.browser().get_with("/simple/spam/", &[("accept", "application/vnd.pypi.simple.v1+json")]).await.json();
        assert_eq!(listed["files"][0]["url"], format!("https://index.example.org{path}"));
        let answer = world.browser().get(&path).await;
        assert_eq!((answer.status(), answer.bytes == dist.bytes), (200, true));
        assert_eq!(answer.header("etag"), Some(format!("\"{}\"", dist.sha256()).as_str()));
        assert_eq!(answer.header("content-length"), Some(dist.bytes.len().to_string().as_str()));
        assert_eq!(answer.header("last-modified"), Some("Mon, 23 Nov 2026 08:00:00 GMT"));
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
        let metadata = world.browser().get(&format!("{path}.metadata")).await;
        assert!(metadata.text().starts_with("Metadata-Version: 2.4\nName: spam\n"));
        let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(&metadata.bytes));
        assert_eq!(listed["files"][0]["core-metadata"]["sha256"], sha256);
        assert_eq!(metadata.header("etag"), Some(format!("\"{sha256}\"").as_str()));
    }

    async fn a_download_is_never_a_page_of_this_origin(world: World) {
        let (_, path) = published(&world).await;
        for path in [path.clone(), format!("{path}.metadata")] {
            for headers in [vec![], vec![("range", "bytes=0-9")], vec![("accept", "text/html")]] {
                let answer = world.browser().get_with(&path, &headers).await;
                assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
                assert_eq!(answer.header("content-disposition"), Some("attachment"));
                assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
                assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; sandbox"));
                assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
                assert_eq!(answer.header("set-cookie"), None);
            }
        }
    }

    async fn a_range_gives_these_bytes_alone(world: World) {
        let (dist, path) = published(&world).await;
        let size = dist.bytes.len();
        for (range, first, last) in [
            ("bytes=0-0".to_owned(), 0, 0),
            ("bytes=100-70000".to_owned(), 100, 70_000),
            (format!("bytes={}-", size - 5), size - 5, size - 1),
            ("bytes=-22".to_owned(), size - 22, size - 1),
            (format!("bytes=10-{}", size * 2), 10, size - 1),
        ] {
            let answer = world.browser().get_with(&path, &[("range", &range)]).await;
            assert_eq!(answer.status(), 206, "{range}");
            assert_eq!(answer.header("content-range"), Some(format!("bytes {first}-{last}/{size}").as_str()));
            assert_eq!(answer.header("content-length"), Some((last - first + 1).to_string().as_str()));
            assert!(answer.bytes == dist.bytes[first..=last], "{range}");
        }
        let beyond = world.browser().get_with(&path, &[("range", &format!("bytes={size}-"))]).await;
        assert_eq!((beyond.status(), beyond.header("content-range")), (416, Some(format!("bytes */{size}").as_str())));
        for odd in ["bytes=5-4", "bytes=0-1,5-6", "lines=0-1"] {
            let answer = world.browser().get_with(&path, &[("range", odd)]).await;
            assert_eq!((answer.status(), answer.bytes.len()), (200, size), "{odd}");
        }
        let other = world.browser().get_with(&path, &[("range", "bytes=0-4"), ("if-range", "\"other\"")]).await;
        assert_eq!(other.status(), 200);
        let etag = format!("\"{}\"", dist.sha256());
        let same = world.browser().get_with(&path, &[("range", "bytes=0-4"), ("if-range", &etag)]).await;
        assert_eq!(same.status(), 206);
    }

    async fn what_is_unchanged_is_not_sent_again(world: World) {
        let (dist, path) = published(&world).await;
        let etag = format!("\"{}\"", dist.sha256());
        for headers in [[("if-none-match", etag.as_str())], [("if-modified-since", "Mon, 23 Nov 2026 08:00:00 GMT")]] {
            let answer = world.browser().get_with(&path, &headers).await;
            assert_eq!((answer.status(), answer.bytes.len()), (304, 0), "{headers:?}");
            assert_eq!(answer.header("etag"), Some(etag.as_str()));
        }
        assert_eq!(world.browser().get_with(&path, &[("if-match", "\"other\"")]).await.status(), 412);
    }

    async fn head_tells_the_size_without_the_bytes(world: World) {
        let (dist, path) = published(&world).await;
        let answer = world.browser().request(Method::HEAD, &path, Body::empty(), &[]).await;
        assert_eq!((answer.status(), answer.bytes.len()), (200, 0));
        assert_eq!(answer.header("content-length"), Some(dist.bytes.len().to_string().as_str()));
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    }

    async fn only_digest_and_name_together_lead_to_a_file(world: World) {
        let (dist, path) = published(&world).await;
        let digest = blake2_256(&dist.bytes);
        let folder = path.trim_end_matches(&dist.filename);
        let sha256 = dist.sha256();
        for wrong in [
            format!("{folder}other-1.0-py3-none-any.whl"),
            format!("{folder}{}.asc", dist.filename),
            format!("{folder}{}.metadata.metadata", dist.filename),
            format!("{folder}.metadata"),
            folder.to_owned(),
            format!("{folder}..%2F{}", dist.filename),
            format!("/files/{}/{}/{}/{}", &sha256[..2], &sha256[2..4], &sha256[4..], dist.filename),
            format!("/files/{}/{}/{}/{}", &digest[..1], &digest[1..4], &digest[4..], dist.filename),
            format!("/files/{}/{}/{}/{}", digest[..2].to_uppercase(), &digest[2..4], &digest[4..].to_uppercase(), dist.filename),
            "/files/../../etc/passwd".to_owned(),
            "/files/%2e%2e/%2e%2e/x/instance.key".to_owned(),
            "/files/staging/x".to_owned(),
            format!("{folder}%00"),
            format!("{folder}%FF"),
        ] {
            assert_eq!(world.browser().get(&wrong).await.status(), 404, "{wrong}");
        }
    }

    async fn a_file_whose_bytes_are_gone_is_our_fault(world: World) {
        let (dist, path) = published(&world).await;
        world.env.blobs.delete(&blake2_256(&dist.bytes)).await.expect("the blob is there");
        let answer = world.browser().get(&path).await;
        assert_eq!(answer.status(), 500);
        assert!(!answer.text().contains("blob") && answer.header("cache-control").is_none());
    }
}
