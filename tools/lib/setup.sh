# Shared by tools/test and tools/demo: what has to be on the machine, and how to run things there.
#
#   source tools/lib/setup.sh
#   need_build_packages; need_client_packages; build_programs
#
# Written for Debian 12. Packages that are there already are left alone; what is missing is installed
# with apt-get (through sudo when not root). Nothing is started on the machine: Debian's postgresql-15
# would make and start a cluster of its own, which is switched off before it is installed.

readonly REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly PG_BIN=/usr/lib/postgresql/15/bin

readonly BUILD_PACKAGES=(
  g++ meson ninja-build pkg-config python3
  libboost1.81-dev libboost-context1.81-dev libfmt-dev libcli11-dev libpg-query-dev libsimdjson-dev
  libcctz-dev liburing-dev libgtest-dev libpq-dev
)
# The reference server and its tools; psql; ps.
readonly RUN_PACKAGES=(postgresql-15 postgresql-client-15 procps)
readonly CLIENT_PACKAGES=(python3-psycopg2 libpostgresql-jdbc-java)

if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  readonly BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' PLAIN=$'\e[0m'
else
  readonly BOLD='' DIM='' RED='' GREEN='' PLAIN=''
fi

say() { printf '%s\n' "$*"; }
title() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
warn() { printf '%s%s%s\n' "$RED" "$*" "$PLAIN" >&2; }
die() { warn "$(basename "$0"): $*"; exit 1; }

as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif command -v sudo > /dev/null; then
    sudo "$@"
  else
    die "packages are missing and there is neither root nor sudo: $*"
  fi
}

# Prints those of the named packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null) == installed ]] ||
      printf '%s\n' "$package"
  done
}

# Shows a line that ends in "done (12 s)" while a long command runs; its output only if it fails.
# long "what it does" command…
long() {
  local what=$1 log status=0 begin=$SECONDS
  shift
  log=$(mktemp)
  printf '%s ... ' "$what"
  "$@" > "$log" 2>&1 || status=$?
  if [[ $status -eq 0 ]]; then
    printf 'done (%d s)\n' $((SECONDS - begin))
  else
    printf 'failed\n'
    tail -n 60 "$log"
  fi
  rm -f "$log"
  return $status
}

apt_install() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  command -v apt-get > /dev/null ||
    die "please install: ${missing[*]} (this script installs packages on Debian only)"
  # Before Debian's package can start a server on somebody's machine.
  if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
    as_root mkdir -p /etc/postgresql-common
    grep -qs '^ *create_main_cluster *= *false' /etc/postgresql-common/createcluster.conf ||
      as_root sh -c 'echo "create_main_cluster = false" >> /etc/postgresql-common/createcluster.conf'
  fi
  # The file above is ours, so dpkg must not ask about it.
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends
                 -o Dpkg::Options::=--force-confold "${missing[@]}")
  long "installing ${#missing[@]} packages (${missing[*]:0:3}${missing[3]:+, …})" \
    as_root sh -c 'apt-get update && exec "$@"' sh "${install[@]}"
}

need_build_packages() { apt_install "${BUILD_PACKAGES[@]}"; }
need_run_packages() { apt_install "${RUN_PACKAGES[@]}"; }

# For tests/clients: each client that cannot be had is named, and its test is not run.
need_client_packages() {
  apt_install "${CLIENT_PACKAGES[@]}" || warn "some client packages could not be installed"
  command -v javac > /dev/null || apt_install default-jdk-headless ||
    warn "no Java compiler: the JDBC test will not run"
  command -v node > /dev/null || apt_install nodejs ||
    warn "no Node.js: the node-postgres test will not run"
  command -v npm > /dev/null || apt_install npm ||
    warn "no npm: the node-postgres test will not run"
}

# The programs in the build directory ($BUILD, or build/ in the tree), without the tests.
# Extra arguments go to meson setup.
build_programs() {
  BUILD=${BUILD:-$REPOSITORY/build}
  if [[ ! -f $BUILD/build.ninja ]]; then
    long "configuring $BUILD" meson setup "$BUILD" "$REPOSITORY" "$@" || return 1
  fi
  long "building" ninja -C "$BUILD" src/cofork src/postgres src/postmaster src/initdb src/pg_ctl
}

# A server refuses to run as root. Root runs it as nobody; everybody else as himself.
as_server_user() {
  if [[ $(id -u) -eq 0 ]]; then
    setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups env HOME=/nonexistent "$@"
  else
    "$@"
  fi
}

# A fresh directory that the server's user owns, with the binaries in bin/ where he can reach them.
make_scratch() {
  SCRATCH=$(mktemp -d /tmp/cofork.XXXXXX)
  mkdir "$SCRATCH/bin"
  cp "$BUILD/src/cofork" "$SCRATCH/bin/"
  local name
  for name in postgres initdb pg_ctl; do ln -s cofork "$SCRATCH/bin/$name"; done
  [[ $(id -u) -ne 0 ]] || chown -R nobody "$SCRATCH"
}
