#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every source file names its licence, and the one that LICENSE gives to its folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

status=0
while IFS= read -r file; do
    case $file in
    ui/* | app/* | tests/gui/*) licence=GPL-3.0-or-later ;;
    *) licence=Apache-2.0 ;;
    esac
    if ! head -n 3 "$file" | grep -q "SPDX-License-Identifier: $licence\( \|$\)"; then
        printf 'licence_lines: %s has no line "SPDX-License-Identifier: %s" at its head\n' "$file" "$licence"
        status=1
    fi
done < <(find CMakeLists.txt app core ui resources tests .ci \
    -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' -o -name '*.h' -o -name '*.in' -o -name '*.proto' -o -name CMakeLists.txt -o -name '*.sh' -o -name run)
exit "$status"
