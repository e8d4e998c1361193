"""How soon the server is there: timed, so it runs after all other tests, alone."""

from __future__ import annotations

import subprocess
import sys

IMPORTS = """
import resource, sys
import rl_teacher.server.app, rl_teacher.server.__main__
heavy = {"numpy", "torch", "gymnasium", "mujoco", "envpool", "alembic", "av"} & set(sys.modules)
used = resource.getrusage(resource.RUSAGE_SELF)
print(sorted(heavy), used.ru_utime + used.ru_stime)
"""


def test_the_server_is_there_in_under_a_second_without_numpy_torch_or_simulator():
    seconds = []
    for _ in range(2):  # processor time: the machine may be busy with other things
        ended = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True)
        heavy, used = ended.stdout.rsplit(" ", 1)
        assert heavy == "[]"
        seconds.append(float(used))
    assert min(seconds) < 1.0
