#!/usr/bin/env bash
# Compares /simple/bench/ (JSON, about 64 kB, gzip) with nginx serving the same bytes as a static file, in the same run.
# Usage: bench/simple.sh PATH-TO-STRONGROOM [SECONDS] [ROUNDS]. Needs nginx, wrk, curl, python3.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
strongroom=$1 seconds=${2:-10} rounds=${3:-3}
ours=127.0.0.1:18180 theirs=127.0.0.1:18181
work=$(mktemp -d)
pids=()
finish() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait; rm -rf "$work"; }
trap finish EXIT

STRONGROOM_LOG__FILTER=warn "$strongroom" serve --data "$work/data" --listen "$ours" --public-url "http://$ours" >"$work/log" 2>&1 &
pids+=($!)
for _ in $(seq 200); do curl -sf "http://$ours/_health/" >/dev/null && break; sleep 0.1; done
python3 "$here/seed.py" "$work/data/strongroom.sqlite"

mkdir "$work/www" && chmod 755 "$work" "$work/www" # started by root, nginx reads as somebody else
accept='Accept: application/vnd.pypi.simple.v1+json' encoding='Accept-Encoding: gzip'
curl -sf -H "$accept" "http://$ours/simple/bench/" -o "$work/plain"
curl -sf -H "$accept" -H "$encoding" "http://$ours/simple/bench/" -o "$work/www/page"
gzip -dc <"$work/www/page" | cmp - "$work/plain"
cat >"$work/nginx.conf" <<CONF
daemon off; pid $work/nginx.pid; error_log $work/nginx.log; worker_processes auto;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=10;
  server {
    listen $theirs reuseport; root $work/www; default_type application/vnd.pypi.simple.v1+json;
    add_header Content-Encoding gzip; add_header Cache-Control "max-age=600, public"; add_header Vary "Accept, Accept-Encoding";
  }
}
CONF
nginx -c "$work/nginx.conf" -e "$work/nginx.log" &
pids+=($!)
for _ in $(seq 100); do curl -sf "http://$theirs/page" >/dev/null && break; sleep 0.1; done
curl -sf "http://$theirs/page" | cmp - "$work/www/page"

rate() { wrk -t1 -c32 -d"${seconds}s" -H "$accept" -H "$encoding" "$1" | awk '/Requests\/sec/ {print $2} /Non-2xx/ {print "errors" > "/dev/stderr"; exit 1}'; }
for round in $(seq "$rounds"); do
  echo "$round $(rate "http://$ours/simple/bench/") $(rate "http://$theirs/page")"
done | tee "$work/rates"
python3 - "$work/rates" "$(stat -c %s "$work/plain")" "$(stat -c %s "$work/www/page")" <<'PY'
import statistics, sys
rows = [list(map(float, line.split())) for line in open(sys.argv[1])]
ours, theirs = (statistics.median(row[at] for row in rows) for at in (1, 2))
print(f"page {sys.argv[2]} bytes, {sys.argv[3]} with gzip")
print(f"strongroom {ours:.0f}/s, nginx {theirs:.0f}/s, ratio {ours / theirs:.2f}")
PY
