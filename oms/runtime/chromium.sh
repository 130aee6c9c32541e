#!/bin/sh
# Debian's Chromium and a Japanese font, for the browser tests: the one without windows, which does the same with half
# the work, where it is to be had. Never fails: without any those tests are skipped.
set -u

have_shell() { command -v chromium-headless-shell >/dev/null 2>&1; }
have_browser() { have_shell || command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1; }
have_font() { ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1; }
may_install() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; }
apt() { apt-get -q -y -o Acquire::Retries=0 -o Acquire::http::Timeout=10 "$@" >/dev/null 2>&1; }
# Beside a whole Chromium only where that stays as it is.
changes_nothing() { LC_ALL=C apt-get -s install --no-install-recommends "$1" 2>/dev/null | grep -q '^0 upgraded.* 0 to remove'; }

if have_shell && have_font; then
    exit 0
fi
if may_install; then
    export DEBIAN_FRONTEND=noninteractive
    if have_browser && have_font; then
        apt-cache show chromium-headless-shell >/dev/null 2>&1 || apt update
        changes_nothing chromium-headless-shell && apt install --no-install-recommends chromium-headless-shell
    else
        echo "ブラウザーテスト用に chromium と fonts-noto-cjk をインストールしています…"
        apt update
        apt install --no-install-recommends fonts-noto-cjk chromium-headless-shell ||
            apt install --no-install-recommends fonts-noto-cjk chromium
    fi
fi
if ! have_browser; then
    echo "注意: chromium がないため、ブラウザーテストを省略します(root で apt-get install chromium fonts-noto-cjk)。" >&2
    echo "Note: no chromium; the browser tests will be skipped." >&2
elif ! have_font; then
    echo "注意: 日本語フォントがないため、画面の写真の文字が欠けます(root で apt-get install fonts-noto-cjk)。" >&2
    echo "Note: no Japanese font; screenshots will lack their text." >&2
fi
exit 0
