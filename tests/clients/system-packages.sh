#!/usr/bin/env bash
# Installs what the tests need from Debian, where it is missing: Python with venv, npm, curl, unzip, LibreOffice, pdftoppm, Prometheus,
# PostgreSQL, HAProxy, faketime, Chromium.
set -euo pipefail
missing=()
services=()
as_root=()
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
command -v npm >/dev/null || missing+=(npm)
command -v curl >/dev/null || missing+=(curl)
command -v unzip >/dev/null || missing+=(unzip)
command -v soffice >/dev/null || missing+=(libreoffice-calc-nogui)
/usr/bin/python3 -c 'import uno' 2>/dev/null || missing+=(python3-uno)
command -v pdftoppm >/dev/null || missing+=(poppler-utils)
[ -d /usr/share/fonts/truetype/liberation ] || missing+=(fonts-liberation)
[ -d /usr/share/fonts/truetype/dejavu ] || missing+=(fonts-dejavu-core)
command -v fc-list >/dev/null || missing+=(fontconfig)
command -v prometheus >/dev/null || services+=(prometheus)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || services+=(postgresql)
command -v prometheus-alertmanager >/dev/null || services+=(prometheus-alertmanager)
[ -x /usr/sbin/haproxy ] || services+=(haproxy)
command -v faketime >/dev/null || missing+=(faketime)
command -v chromium >/dev/null || missing+=(chromium)
command -v prometheus-pushgateway >/dev/null || services+=(prometheus-pushgateway)
# What builds images and starts containers of them.
for program in buildah podman crun debootstrap; do
    command -v "$program" >/dev/null || missing+=("$program")
done
[ -x /usr/lib/podman/netavark ] || missing+=(netavark)
command -v iptables >/dev/null || missing+=(iptables)
command -v ip >/dev/null || missing+=(iproute2)
missing+=("${services[@]}")
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "install these packages first: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
if [ ${#services[@]} -gt 0 ] && [ ! -e /usr/sbin/policy-rc.d ]; then
    # The tests start them; the system need not.
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
    "${as_root[@]}" chmod 755 /usr/sbin/policy-rc.d
    trap '"${as_root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
fi
"${as_root[@]}" apt-get update --quiet
"${as_root[@]}" apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
if [ ${#services[@]} -gt 0 ] && command -v systemctl >/dev/null; then
    "${as_root[@]}" systemctl disable --quiet "${services[@]}" || true
fi
