#!/usr/bin/env bash
# Builds both images from their Dockerfiles, and holds them and containers of them against what operators are promised.
#
#   tests/images/run.sh folder-of-the-tools              (make images does)
#   tests/images/run.sh folder-of-the-tools program      (make images PROGRAM=… does: it is not compiled again for the images)
#
# Layers are kept below ~/.cache/spreadsheet-mcp/images, so that only what changed is built again.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
root=$(readlink -f "$here/../..")
export TOOLS=$1
. "$here/containers.sh"

# Where no container can be started that is said, and the files are judged at least.
cannot() {
    echo "SKIPPED: images are not built and not tested: $*" >&2
    cd "$here"
    exec "$TOOLS/scanners/bin/python" -B -m unittest --verbose test_files.Files
}
[ "$(id -u)" -eq 0 ] || cannot "this takes root"
for program in buildah podman crun debootstrap; do
    command -v "$program" >/dev/null || cannot "$program is not installed (make setup installs it)"
done
"$here/inside.sh" true || cannot "no network and mounts of their own here (unshare)"
"$here/bases.sh" || cannot "the images that they start from cannot be made"
"$here/inside.sh" podman run --rm --pull never debian:bookworm-slim true || cannot "podman starts no container here"

build() {
    docker build "$@" "$root" >"$images/build.log" 2>&1 || { tail -n 40 "$images/build.log" >&2; exit 1; }
}
export PATH=$here/bin:$PATH
started=$SECONDS
if [ $# -gt 1 ]; then
    BUILT=$(mktemp --directory)
    export BUILT
    trap 'rm -rf "$BUILT"' EXIT
    cp "$2" "$BUILT/spreadsheet-mcp"
else
    # Cargo runs without a network there: what it needs is fetched here.
    auditable=$(sed -n 's/.*cargo install cargo-auditable --version \([^ ]*\).*/\1/p' "$root/Dockerfile")
    cargo install --quiet --locked --root "$TOOLS" cargo-auditable --version "$auditable"
    cargo fetch --quiet --locked --manifest-path "$root/Cargo.toml"
    # It has a name so that its layers are kept; those of the others go once nothing is made of them any more.
    build -t spreadsheet-mcp:build --target build -f "$root/Dockerfile"
fi
build -t spreadsheet-mcp:latest -f "$root/Dockerfile.full"
build -t spreadsheet-mcp:native -f "$root/Dockerfile" --build-arg REVISION="$(git -C "$root" rev-parse HEAD)"
buildah rmi --prune >/dev/null
echo "the images were built in $((SECONDS - started)) s"

# podman leaves a file where it is when a container is killed for its memory.
cd "$images"
"$here/inside.sh" "$TOOLS/scanners/bin/python" -B -m unittest discover --verbose --start-directory "$here"
