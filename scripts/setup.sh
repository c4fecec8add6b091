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
    # RUNLEVEL=1 keeps packages from starting services: apertium-apy would listen on every interface. A server's cluster is
    # made, but not started.
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

# need_python_tool NAME VERSION [REQUIREMENT...]: installs a tool from PyPI into a Python environment under target/. The version is pinned so
# that the tool reports the same everywhere. Fails if it cannot be installed.
need_python_tool() {
    tool=target/$1 requirement="$1==$2"
    [ -x "$tool/bin/$1" ] && return 0
    command -v python3 >/dev/null 2>&1 || return 1
    rm -rf "$tool"
    shift 2
    { python3 -m venv "$tool" || { need_packages python3-venv && python3 -m venv "$tool"; }; } &&
        "$tool/bin/python" -m pip install --quiet --disable-pip-version-check "$requirement" "$@" || { rm -rf "$tool"; return 1; }
}

# need_llmock: a mock service that reports how its clients behave.
need_llmock() { need_python_tool llmock 0.2.2; }

# need_taplo: checks TOML files against a JSON Schema; $taplo is its path.
need_taplo() {
    taplo=$(command -v taplo) && return 0
    taplo=target/taplo/bin/taplo
    need_python_tool taplo 0.9.3
}
