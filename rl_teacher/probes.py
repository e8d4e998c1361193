"""Small trials of what may be missing or broken, each in a process of its own: `python -m rl_teacher.probes NAME`.

A broken OpenGL or simulator may end the whole process instead of raising. A probe prints what it found in one line;
`doctor` reads it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def torch() -> str:
    """Learn one step."""
    import torch

    weight = torch.ones(2, requires_grad=True)
    (weight * weight).sum().backward()
    if weight.grad is None:
        raise RuntimeError("no gradient came back")
    return torch.__version__


def simulator() -> str:
    """Simulate one step of a hopper."""
    import gymnasium
    import mujoco

    env = gymnasium.make("Hopper-v5")
    env.reset(seed=1)
    env.step(env.action_space.sample())
    env.close()
    return f"MuJoCo {mujoco.__version__}, Gymnasium {gymnasium.__version__}"


def envpool() -> str:
    """The same with the fast one."""
    import envpool

    env = envpool.make("Hopper-v4", env_type="gymnasium", num_envs=1)
    env.reset()
    env.close()
    return envpool.__version__


def gl() -> str:
    """Draw a ball by the way that MUJOCO_GL names."""
    from typing import Any

    import mujoco

    mj: Any = mujoco  # a C extension without type stubs
    model = mj.MjModel.from_xml_string("<mujoco><worldbody><light/><geom size='1'/></worldbody></mujoco>")
    data = mj.MjData(model)
    mj.mj_forward(model, data)
    renderer = mj.Renderer(model, 32, 32)
    renderer.update_scene(data)
    picture = renderer.render()
    renderer.close()
    if not picture.any():
        raise RuntimeError("it drew nothing")
    return f"{os.environ.get('MUJOCO_GL', 'its default')} draws"


def codecs() -> str:
    """Make a short film in both."""
    import av
    import numpy as np

    from rl_teacher.clips.film import encode

    films = encode([np.zeros((32, 32, 3), np.uint8)] * 2, fps=10.0)
    if not all(films.values()):
        raise RuntimeError("a film is empty")
    return f"VP9 and H.264 (PyAV {av.__version__})"


PROBES: dict[str, Callable[[], str]] = {probe.__name__: probe for probe in (torch, simulator, envpool, gl, codecs)}


def main(name: str) -> int:
    """Run one; a fault is told in one line, as the last one."""
    try:
        said = PROBES[name]()
    except Exception as fault:
        sys.stderr.write(f"\n{type(fault).__name__}: {' '.join(str(fault).split())}\n")
        return 1
    sys.stdout.write(" ".join(said.split()) + "\n")
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1])
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)  # what a broken OpenGL does when it is put away is of no interest
