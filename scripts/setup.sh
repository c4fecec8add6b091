# Sourced by run and test: gets Debian packages that are missing. Installs nothing that is there.

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# need_packages NAME...: installs those that are missing
need_packages() {
    missing=
    for package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "Please install:$missing (there is no apt-get here)" >&2
        return 1
    fi
    echo "Installing:$missing"
    # RUNLEVEL=1: a package's service is not started for this (apertium-apy would listen on every interface).
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# A C compiler for SQLite, a C++ compiler for the translation kernel.
need_compilers() {
    command -v cargo >/dev/null 2>&1 || { echo "Rust is missing: see https://rustup.rs" >&2; exit 1; }
    if ! command -v cc >/dev/null 2>&1 || ! command -v c++ >/dev/null 2>&1; then
        need_packages gcc g++ libc6-dev
    fi
}

# need_llmock: llmock, a service that judges how its clients behave, in a Python environment of its own below target/. Pinned, so that
# its verdict is the same everywhere. Fails where it cannot be had.
need_llmock() {
    llmock=target/llmock
    [ -x "$llmock/bin/llmock" ] && return 0
    command -v python3 >/dev/null 2>&1 || return 1
    rm -rf "$llmock"
    { python3 -m venv "$llmock" || { need_packages python3-venv && python3 -m venv "$llmock"; }; } &&
        "$llmock/bin/python" -m pip install --quiet --disable-pip-version-check 'llmock==0.2.2' || { rm -rf "$llmock"; return 1; }
}
