#!/usr/bin/env bash
# Makes the images that the Dockerfiles start from, under the names that they give them, from Debian's packages: no registry of
# images is asked. What leaves out manuals and translations is what Debian's own slim images leave out.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/containers.sh"

if ! buildah inspect --type image debian:bookworm-slim >/dev/null 2>&1; then
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    debootstrap --variant=minbase bookworm "$root/base" >"$root/log" || { tail -n 20 "$root/log" >&2; exit 1; }
    if [ -e /etc/apt/sources.list.d/debian.sources ]; then
        # The updates of the release, too.
        cp /etc/apt/sources.list.d/debian.sources "$root/base/etc/apt/sources.list.d/"
        rm "$root/base/etc/apt/sources.list"
    fi
    cat >"$root/base/etc/dpkg/dpkg.cfg.d/slim" <<CONF
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
CONF
    (cd "$root/base" && rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/* var/log/* usr/share/{info,locale,man}/* \
        && find usr/share/doc -type f ! -name copyright -delete)
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$root/base" / >/dev/null
    buildah config --cmd bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
    buildah commit --quiet --rm "$container" debian:bookworm-slim
fi
if ! buildah inspect --type image rust:1.95.0-bookworm >/dev/null 2>&1; then
    buildah bud --isolation chroot --pull-never --format docker --tag rust:1.95.0-bookworm --file "$here/rust.Dockerfile" "$here"
fi
