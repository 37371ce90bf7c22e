#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Puts what `flashstep-cli overview --markdown` prints into docs/versions.md, from a build:
#   bash docs/versions.sh [FLASHSTEP-CLI]        (default: build/release/bin/flashstep-cli)
set -euo pipefail
cli=$(realpath "${1:-$(dirname "${BASH_SOURCE[0]}")/../build/release/bin/flashstep-cli}")
cd "$(dirname "${BASH_SOURCE[0]}")"
table=$(mktemp)
page=$(mktemp)
trap 'rm -f "$table" "$page"' EXIT
"$cli" overview --markdown --quiet >"$table"
awk -v table="$table" '
    /^<!-- begin: / { print; while ((getline line < table) > 0) print line; inside = 1 }
    /^<!-- end -->$/ { inside = 0 }
    !inside && !/^<!-- begin: / { print }' versions.md >"$page"
cat "$page" >versions.md
