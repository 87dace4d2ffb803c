# Where bases, layers and images of the tests are, and how containers run on a machine without a daemon: sourced by the others.
images=$HOME/.cache/spreadsheet-mcp/images
mkdir -p "$images/tmp"
# Layers lie upon each other where the file system can do that; copies of all of them take ten times the room.
if [ ! -e "$images/storage.conf" ]; then
    trial=$(mktemp -d --tmpdir="$images")
    mkdir "$trial"/{lower,upper,work,merged}
    layers=lowerdir=$trial/lower,upperdir=$trial/upper,workdir=$trial/work
    driver=overlay
    unshare --mount mount -t overlay -o "$layers" overlay "$trial/merged" 2>/dev/null || driver=vfs
    rm -rf "$trial"
    cat >"$images/storage.conf" <<CONF
[storage]
driver = "$driver"
graphroot = "$images/storage"
runroot = "/run/spreadsheet-mcp-images"
CONF
fi
# The limits of open files and processes cannot be above those of whoever starts containers.
cat >"$images/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=$(ulimit -Hn):$(ulimit -Hn)", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
CONF
export CONTAINERS_STORAGE_CONF=$images/storage.conf CONTAINERS_CONF=$images/containers.conf TMPDIR=$images/tmp
