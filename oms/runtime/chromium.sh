#!/bin/sh
# Debian's Chromium and a Japanese font, for the browser tests. Never fails: without them those tests are skipped.
set -u

have_browser() { command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1; }
have_font() { ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1; }

if have_browser && have_font; then
    exit 0
fi
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "ブラウザーテスト用に chromium と fonts-noto-cjk をインストールしています…"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -q && apt-get install -y -q --no-install-recommends chromium fonts-noto-cjk; } >/dev/null 2>&1
fi
if ! have_browser; then
    echo "注意: chromium がないため、ブラウザーテストを省略します(root で apt-get install chromium fonts-noto-cjk)。" >&2
    echo "Note: no chromium; the browser tests will be skipped." >&2
elif ! have_font; then
    echo "注意: 日本語フォントがないため、画面の写真の文字が欠けます(root で apt-get install fonts-noto-cjk)。" >&2
    echo "Note: no Japanese font; screenshots will lack their text." >&2
fi
exit 0
