#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Holds app/packages.txt against what the CMake files, the presets and the scripts look for: everything used is listed,
# everything listed is used, and each use is known to the table.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# What is looked for, and the Debian package that has it; "-" is part of every Debian or of a package beside it.
declare -A package_of=(
    [find_package:Threads]=-
    [find_package:PkgConfig]=pkg-config
    [find_package:Eigen3]=libeigen3-dev
    [find_package:fmt]=libfmt-dev
    [find_package:nlohmann_json]=nlohmann-json3-dev
    [find_package:Protobuf]=libprotobuf-dev
    [find_package:CLI11]=libcli11-dev
    [find_package:GTest]=libgtest-dev
    [find_package:benchmark]=libbenchmark-dev
    [find_package:Qt5]=qtbase5-dev
    [find_package:Qt5:Core]=qtbase5-dev
    [find_package:Qt5:Gui]=qtbase5-dev
    [find_package:Qt5:Widgets]=qtbase5-dev
    [find_package:Qt5:Test]=qtbase5-dev
    [find_package:Qt5:Svg]=libqt5svg5-dev
    [find_package:Qt5:Charts]=libqt5charts5-dev
    [find_package:GIF]=libgif-dev
    [find_package:KF5SyntaxHighlighting]=libkf5syntaxhighlighting-dev
    [pkg_check_modules:libzip]=libzip-dev
    [protoc]=protobuf-compiler
    [language:CXX]=g++
    [generator:Ninja]=ninja-build
    [display:WAYLAND_DISPLAY]=qtwayland5
    [command:cmake]=cmake
    [command:ctest]=cmake
    [command:ninja]=ninja-build
    [command:git]=git
    [command:python3]=python3-numpy
    [find_program:python3]=python3-numpy
    [find_program:pdftoppm]=poppler-utils
    [find_program:nvcc]=-
    [find_program:ptxas]=-
    [command:xvfb-run]=xvfb
    [command:jq]=jq
    [command:unzip]=unzip
    [command:zipinfo]=unzip
    [command:xmllint]=libxml2-utils
    [command:curl]=curl
    [command:file]=file
)

mapfile -t cmake_files < <(find CMakeLists.txt app core ui resources tests -name CMakeLists.txt -o -name '*.cmake')
scripts=(app/run.sh tests/run.sh .ci/run)
mapfile -t test_scripts < <(find tests/scripts -name '*.sh' ! -name packages.sh)
scripts+=("${test_scripts[@]}")

# The CMake text in one line per command, without comments.
cmake_text=$(sed 's/#.*//' "${cmake_files[@]}" | tr '\n' ' ' | sed 's/)/)\n/g')

uses() {
    local command arguments word in_components
    while read -r command arguments; do
        set -- ${arguments}
        case $command in
        find_package)
            printf 'find_package:%s\n' "$1"
            in_components=no
            for word in "$@"; do
                case $word in
                COMPONENTS) in_components=yes ;;
                REQUIRED | QUIET | OPTIONAL_COMPONENTS | NO_MODULE) ;;
                *) [[ $in_components == no ]] || printf 'find_package:%s:%s\n' "$1" "$word" ;;
                esac
            done
            ;;
        find_program | find_library | find_path | find_file) printf '%s:%s\n' "$command" "$2" ;;
        pkg_check_modules | pkg_search_module)
            shift
            for word in "$@"; do
                case $word in
                REQUIRED | QUIET | IMPORTED_TARGET | GLOBAL) ;;
                *) printf 'pkg_check_modules:%s\n' "$word" ;;
                esac
            done
            ;;
        protobuf_generate*) printf 'protoc\n' ;;
        project)
            in_components=no
            for word in "$@"; do
                [[ $in_components == no ]] || printf 'language:%s\n' "$word"
                [[ $word != LANGUAGES ]] || in_components=yes
            done
            ;;
        esac
    done < <(grep -oE '\b(find_[a-z]+|pkg_[a-z]+_modules?|protobuf_generate[a-z_]*|project) *\([^)]*' <<<"$cmake_text" | tr '(' ' ')
    sed -nE 's/.*"generator": *"([^"]*)".*/generator:\1/p' CMakePresets.json
    grep -ohw WAYLAND_DISPLAY app/run.sh | sed 's/^/display:/'
    # Commands at the place of a command; stand-ins and words in messages are not.
    local name
    for name in "${!package_of[@]}"; do
        [[ $name == command:* ]] || continue
        if grep -hvE '^ *#' "${scripts[@]}" | grep -qE "(^|[|;&(!] *|then |do |exec |command -v |for tool in .*)${name#command:}( |;|\)|$)"; then
            printf '%s\n' "$name"
        fi
    done
}

status=0
complain() {
    printf 'packages: %s\n' "$1"
    status=1
}

declare -A listed=() used=()
while read -r name _; do
    [[ -z $name ]] || listed[$name]=yes
done < <(sed 's/#.*//' app/packages.txt)

while read -r use; do
    package=${package_of[$use]:-}
    if [[ -z $package ]]; then
        complain "$use is looked for, but the table in tests/scripts/packages.sh has no package for it"
    elif [[ $package != - ]]; then
        used[$package]=$use
        [[ -n ${listed[$package]:-} ]] || complain "$use needs $package, which app/packages.txt does not list"
    fi
done < <(uses | sort -u)

for package in "${!listed[@]}"; do
    [[ -n ${used[$package]:-} ]] || complain "app/packages.txt lists $package, which nothing uses"
done
((${#used[@]} >= 10)) || complain "only ${#used[@]} packages found in use: the search itself is broken"
exit "$status"
