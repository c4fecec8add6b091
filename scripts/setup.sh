# Sourced by scripts/run, scripts/test, scripts/mutants and .ci/run: installs missing Debian packages.

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# need_packages NAME...: installs the packages that are missing.
need_packages() {
    missing=
    for package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "Please install:$missing (apt-get is not available)" >&2
        return 1
    fi
    echo "Installing:$missing"
    # RUNLEVEL=1 keeps packages from starting services: apertium-apy would listen on every interface.
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# need_compilers: a C compiler for SQLite and a C++ compiler for the translation engine.
need_compilers() {
    command -v cargo >/dev/null 2>&1 || { echo "Rust is missing: see https://rustup.rs" >&2; exit 1; }
    if ! command -v cc >/dev/null 2>&1 || ! command -v c++ >/dev/null 2>&1; then
        need_packages gcc g++ libc6-dev
    fi
}

# need_llmock: installs llmock, a mock service that reports how its clients behave, into a Python environment under target/.
# The version is pinned so that its report is the same everywhere. Fails if it cannot be installed.
need_llmock() {
    llmock=target/llmock
    [ -x "$llmock/bin/llmock" ] && return 0
    command -v python3 >/dev/null 2>&1 || return 1
    rm -rf "$llmock"
    { python3 -m venv "$llmock" || { need_packages python3-venv && python3 -m venv "$llmock"; }; } &&
        "$llmock/bin/python" -m pip install --quiet --disable-pip-version-check 'llmock==0.2.2' || { rm -rf "$llmock"; return 1; }
}
