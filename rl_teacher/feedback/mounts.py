"""Which kind of file system a file lies on."""

from __future__ import annotations

import re
from pathlib import Path

NETWORK = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "ceph", "glusterfs", "lustre", "gpfs", "beegfs"),
    *("orangefs", "pvfs2", "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.ceph"),
    *("fuse.juicefs", "fuse.goofys", "fuse.blobfuse2", "fuse.mountpoint-s3", "fuse.smbnetfs", "fuse.davfs", "davfs"),
}
"""As Linux names them."""
MOUNTS = Path("/proc/self/mountinfo")


def network_file_system(file: Path) -> str | None:
    """The kind of network file system a file lies on, or would.

    None for a disk of this machine, and where the system does not tell (it is not Linux).
    """
    if not MOUNTS.exists():
        return None
    kinds = dict(_mount(line) for line in MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines())
    place = file.absolute().resolve()
    kind = next((kinds[folder] for folder in (place, *place.parents) if folder in kinds), None)
    return kind if kind in NETWORK else None


def _mount(line: str) -> tuple[Path, str]:
    """(where, kind) of a line of mountinfo, see proc(5). Blanks in a path are written as octal numbers."""
    about, _, system = line.partition(" - ")
    where = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), about.split()[4])
    return Path(where), system.split()[0]
