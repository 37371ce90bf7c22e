#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what is missing, builds FlashStep and starts its window:
#   bash app/run.sh [--setup-only] [-- ARGS…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage="usage: bash app/run.sh [--setup-only] [-- ARGS of the window…]"
bin=build/release/bin

say() { printf 'run.sh: %s\n' "$*" >&2; }
fail() {
    say "$1"
    exit "${2:-1}"
}

setup_only=no
while (($# > 0)); do
    case $1 in
    --setup-only) setup_only=yes ;;
    -h | --help)
        printf '%s\n' "$usage"
        exit 0
        ;;
    --)
        shift
        break
        ;;
    *) fail "unknown option $1 ($usage)" 2 ;;
    esac
    shift
done

# Prints the packages of the list that are not installed.
missing_packages() {
    local line name package state
    local -A installed=()
    if command -v dpkg-query >/dev/null; then
        while read -r package state; do
            [[ $state == installed ]] && installed[$package]=yes
        done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null)
    fi
    while IFS= read -r line; do
        read -r name _ <<<"${line%%#*}" || true
        [[ -z $name || -n ${installed[$name]:-} ]] || printf '%s\n' "$name"
    done <app/packages.txt
}

# Installs the packages given, or says what is needed where that is not possible; the build then shows whether it is
# there in another form.
install_packages() {
    local -a apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120)
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here; FlashStep needs what Debian calls: $*"
        return
    fi
    if [[ $(id -u) != 0 ]]; then
        if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
            say "not root and no sudo without a password; missing packages: $*"
            say "to install them: apt-get install --no-install-recommends $*"
            return
        fi
        apt=(sudo -n "${apt[@]}")
    fi
    say "installing: $*"
    "${apt[@]}" update || say "apt-get update failed; trying with the package lists that are here"
    "${apt[@]}" install -y --no-install-recommends "$@" || say "apt-get could not install: $*"
}

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} > 0)); then
    install_packages "${missing[@]}"
fi

for tool in cmake ninja; do
    command -v "$tool" >/dev/null || fail "$tool is not there and could not be installed; app/packages.txt lists what is needed"
done

# Ninja looks after changed CMake files itself, but not after changed presets.
if [[ ! build/release/build.ninja -nt CMakePresets.json ]]; then
    cmake --preset release || fail "CMake could not configure the build; the reason stands above"
fi
cmake --build --preset release --parallel "$(nproc)" --target flashstep flashstep-cli ||
    fail "the build failed; the first error stands above"

if [[ $setup_only == yes ]]; then
    exit 0
fi

# Started for a picture, a reading or figures, the window needs no display.
wants_display() {
    local argument
    for argument in "$@"; do
        case $argument in
        --shot | --shot=* | --read | --read=* | --bench | --help | -h | --version) return 1 ;;
        esac
    done
}

if [[ -n ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]] || ! wants_display "$@"; then
    exec "$bin/flashstep" "$@"
fi

sample=resources/samples/licence-causal.json
say "no display (neither DISPLAY nor WAYLAND_DISPLAY is set): running $sample on the command line instead"
mkdir -p out || fail "cannot make the folder out"
"$bin/flashstep-cli" run --scenario "$sample" || fail "flashstep-cli run failed on $sample"
for target in perfetto:out/timeline.pftrace svg:out/timeline.svg png:out/timeline.png; do
    "$bin/flashstep-cli" export --scenario "$sample" --format "${target%%:*}" --view timeline --out "${target#*:}" ||
        fail "flashstep-cli could not write ${target#*:}"
done
printf 'The timeline of the sample:\n'
printf '  %s  %s\n' out/timeline.pftrace "open it in Perfetto" out/timeline.svg "a drawing for the browser" \
    out/timeline.png "the same as a picture"
