#!/bin/sh
# pages.sh - quizzes and reports in headless Chromium: how they look, and that what people answer comes back and is summed up
# right. Skipped where there is no Chromium or no Python. TG_TEST_SHOTS=DIR keeps screenshots.
for browser in "${CHROMIUM:-chromium}" chromium-browser google-chrome; do
    command -v "$browser" > /dev/null && break
    browser=
done
[ -n "$browser" ] || { echo "skip pages: no chromium (CHROMIUM)"; exit 0; }
command -v "$PYTHON" > /dev/null || { echo "skip pages: no python3 (PYTHON)"; exit 0; }
work=$(mktemp -d "$TG_TEST_TMP/pages-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT

TG_TEST_PAGES=$work "$TG_BIN/unit" pages_of_reports_and_quizzes > "$work/log" || { cat "$work/log"; exit 1; }
"$PYTHON" tests/support/browser.py "$browser" "$work"
if TG_TEST_ANSWERS=$work/answers "$TG_BIN/unit" answers_about_texts > "$work/log"; then echo "ok browser_answers_come_to_what_python_says"
else echo "not ok browser_answers_come_to_what_python_says: $(grep : "$work/log" | head -n 2 | tr '\n' ' ')"; fi
