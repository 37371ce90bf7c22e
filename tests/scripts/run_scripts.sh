#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The paths of app/run.sh and tests/run.sh, mostly those of failure, in a copy of the scripts with stand-ins for all
# programs that they call. Each stand-in writes down its arguments; nothing is installed or built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bash=$(command -v bash)

status=0
complain() {
    printf 'run_scripts: %s: %s\n' "$case" "$1"
    sed 's/^/    | /' "$work/stdout" "$work/stderr" "$work/calls"
    status=1
}

# stand_in NAME COMMANDS: a program NAME that notes its call, then runs COMMANDS.
stand_in() {
    printf '#!%s\nprintf "%%s\\n" "%s $*" >>"%s/calls"\n%s\n' "$bash" "$1" "$work" "$2" >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}

# A fresh copy in which all packages are installed, the user is root, and everything succeeds.
begin() {
    case=$1
    rm -rf "${work:?}"/*
    mkdir -p "$work/bin" "$work/tree/app" "$work/tree/tests" "$work/tree/elsewhere"
    cp "$root/app/run.sh" "$work/tree/app"
    cp "$root/tests/run.sh" "$work/tree/tests"
    cp "$root/CMakePresets.json" "$work/tree"
    touch -d 2020-01-01 "$work/tree/CMakePresets.json"
    printf '# a list\nalpha-dev   # the first\n\nbeta # the second\n' >"$work/tree/app/packages.txt"
    local program
    for program in bash env dirname mkdir; do
        ln -s "$(command -v $program)" "$work/bin/$program"
    done
    stand_in nproc 'echo 3'
    stand_in id 'echo 0'
    stand_in dpkg-query 'printf "alpha-dev installed\nbeta installed\n"'
    stand_in apt-get ''
    stand_in cmake '[[ $1 != --preset ]] || { mkdir -p build/release; : >build/release/build.ninja; }'
    stand_in ninja ''
    stand_in ctest ''
    mkdir -p "$work/tree/build/release/bin"
    for program in flashstep flashstep-cli; do
        stand_in $program ''
        mv "$work/bin/$program" "$work/tree/build/release/bin"
    done
    : >"$work/calls"
}

# run SCRIPT ARGS…: from another folder, with nothing of this machine in the PATH.
run() {
    local script=$1
    shift
    code=0
    (cd "$work/tree/elsewhere" && env -i PATH="$work/bin" ${display:+DISPLAY="$display"} bash "../$script" "$@") \
        >"$work/stdout" 2>"$work/stderr" || code=$?
}

exits() { [[ $code == "$1" ]] || complain "status $code, not $1"; }
says() { grep -qF -- "$1" "$work/stderr" || complain "does not say: $1"; }
silent() { [[ ! -s $work/stderr ]] || complain "says something"; }
calls() { grep -qxF -- "$1" "$work/calls" || complain "does not call: $1"; }
calls_no() { ! grep -q -- "^$1" "$work/calls" || complain "calls $1"; }
one_line() { [[ $(wc -l <"$work/stderr") == 1 ]] || complain "the message is not one line"; }
display=

begin "run.sh: unknown option"
run app/run.sh --fast
exits 2; says "unknown option --fast"; one_line; calls_no cmake

begin "run.sh: window arguments without --"
run app/run.sh sample.json
exits 2; says "unknown option sample.json"; one_line

begin "run.sh: nothing missing"
run app/run.sh --setup-only
exits 0; silent; calls_no apt-get
calls "cmake --preset release"
calls "cmake --build --preset release --parallel 3 --target flashstep flashstep-cli"
: >"$work/calls"
run app/run.sh --setup-only
exits 0; calls_no "cmake --preset"; calls_no apt-get

begin "run.sh: changed presets configure anew"
run app/run.sh --setup-only
: >"$work/calls"
touch -d 2100-01-01 "$work/tree/CMakePresets.json"
run app/run.sh --setup-only
exits 0; calls "cmake --preset release"

begin "run.sh: missing package, root"
stand_in dpkg-query 'printf "alpha-dev config-files\nbeta installed\n"; exit 1'
stand_in apt-get '[[ $DEBIAN_FRONTEND == noninteractive ]]'
run app/run.sh --setup-only
exits 0; says "installing: alpha-dev"
calls "apt-get -q -o DPkg::Lock::Timeout=120 update"
calls "apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends alpha-dev"

begin "run.sh: missing packages, sudo without a password"
stand_in id 'echo 1000'
stand_in dpkg-query 'exit 1'
stand_in sudo '[[ $1 == -n ]] && shift && "$@"'
ln -s "$(command -v true)" "$work/bin/true"
run app/run.sh --setup-only
exits 0
calls "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 update"
calls "apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends alpha-dev beta"

begin "run.sh: missing package, neither root nor sudo, tools there"
stand_in id 'echo 1000'
stand_in dpkg-query 'printf "alpha-dev installed\n"; exit 1'
run app/run.sh --setup-only
exits 0; says "missing packages: beta"; calls_no apt-get; calls "cmake --preset release"

begin "run.sh: missing package, sudo wants a password, no tools"
stand_in id 'echo 1000'
stand_in dpkg-query 'printf "alpha-dev installed\n"; exit 1'
stand_in sudo 'exit 1'
rm "$work/bin/cmake"
run app/run.sh --setup-only
exits 1; says "missing packages: beta"; says "cmake is not there"; calls_no apt-get

begin "run.sh: no Debian"
rm "$work/bin/apt-get" "$work/bin/dpkg-query"
run app/run.sh --setup-only
exits 0; says "no apt-get here"; says "alpha-dev beta"

begin "run.sh: apt-get fails, tools there"
stand_in dpkg-query 'exit 1'
stand_in apt-get 'exit 100'
run app/run.sh --setup-only
exits 0; says "apt-get update failed"; says "apt-get could not install: alpha-dev beta"; calls "cmake --preset release"

begin "run.sh: apt-get fails, no ninja"
stand_in dpkg-query 'exit 1'
stand_in apt-get 'exit 100'
rm "$work/bin/ninja"
run app/run.sh
exits 1; says "ninja is not there"

begin "run.sh: CMake cannot configure"
stand_in cmake '[[ $1 != --preset ]]'
run app/run.sh --setup-only
exits 1; says "could not configure"; one_line; calls_no "cmake --build"

begin "run.sh: the build fails"
stand_in cmake '[[ $1 != --build ]]'
run app/run.sh
exits 1; says "the build failed"; one_line

begin "run.sh: a display"
display=:0
run app/run.sh -- "a file.json" --theme dark
exits 0; silent; calls "flashstep a file.json --theme dark"; calls_no flashstep-cli
display=

begin "run.sh: a picture needs no display"
run app/run.sh -- --shot shot.png
exits 0; calls "flashstep --shot shot.png"; calls_no flashstep-cli

begin "run.sh: no display"
run app/run.sh
exits 0; says "no display"; calls_no "flashstep "
sample="--scenario resources/samples/licence-causal.json"
calls "flashstep-cli run $sample"
calls "flashstep-cli export $sample --format perfetto --view timeline --out out/timeline.pftrace"
calls "flashstep-cli export $sample --format svg --view timeline --out out/timeline.svg"
calls "flashstep-cli export $sample --format png --view timeline --out out/timeline.png"
for file in out/timeline.pftrace out/timeline.svg out/timeline.png; do
    grep -q "$file" "$work/stdout" || complain "does not name $file"
done

begin "run.sh: no display, the sample fails"
printf '#!%s\nexit 1\n' "$bash" >"$work/tree/build/release/bin/flashstep-cli"
run app/run.sh
exits 1; says "flashstep-cli run failed"

begin "run.sh: no display, the picture fails"
printf '#!%s\n[[ "$*" != *png* ]]\n' "$bash" >"$work/tree/build/release/bin/flashstep-cli"
run app/run.sh
exits 1; says "could not write out/timeline.png"

begin "run.sh: no display, out cannot be made"
: >"$work/tree/out"
run app/run.sh
exits 1; says "cannot make the folder out"

begin "tests/run.sh: unknown option"
run tests/run.sh --fast
exits 2; says "unknown option --fast"; one_line; calls_no cmake

begin "tests/run.sh: everything succeeds"
run tests/run.sh -- -L fast
exits 0; silent
calls "cmake --build --preset release --parallel 3"
calls "ctest --preset release --parallel 3 -L fast"

begin "tests/run.sh: the set-up fails"
stand_in cmake 'exit 1'
run tests/run.sh
exits 1; says "the set-up failed"; calls_no ctest

begin "tests/run.sh: the tests do not build"
stand_in cmake '[[ $1 != --preset ]] || { mkdir -p build/release; : >build/release/build.ninja; }; [[ $* != "--build --preset release --parallel 3" ]]'
run tests/run.sh
exits 1; says "the build of the tests failed"; one_line; calls_no ctest

begin "tests/run.sh: a test fails"
stand_in ctest 'exit 8'
run tests/run.sh
exits 1; says "tests failed"; one_line

exit "$status"
