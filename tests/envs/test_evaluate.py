import numpy as np
import pytest

from rl_teacher.envs.evaluate import evaluate
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.tasks import resolve


class Still:
    def __init__(self, shape: tuple[int, ...], value: float = 0.0) -> None:
        self.shape, self.value = shape, value

    def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
        assert not explore
        return np.full((len(obs), *self.shape), self.value, dtype=np.int64 if not self.shape else np.float32)


def test_a_return_is_the_sum_over_one_whole_episode() -> None:
    spec = resolve("ShortReacher-v1")
    found = evaluate(Still((2,)), spec, n_episodes=5, seed=3)
    env = make_vec(spec, 5, seed=3)
    env.reset()
    by_hand = sum(env.step(np.zeros((5, 2), dtype=np.float32)).env_rew for _ in range(20))
    assert found.returns == pytest.approx(by_hand)
    assert found.episodes == 5
    assert found.mean == pytest.approx(np.mean(by_hand))
    assert found.std == pytest.approx(np.std(by_hand))
    assert found.std > 0
    assert evaluate(Still((2,)), spec, n_episodes=5, seed=3) == found


def test_what_comes_after_an_early_end_does_not_count() -> None:
    found = evaluate(Still((), 1), resolve("gym:CartPole-v1"), n_episodes=6, seed=0)
    assert all(5 <= total <= 15 for total in found.returns)  # one point a step, pushed over in some nine steps


@pytest.mark.parametrize(("value", "share"), [(0.6, 1.0), (-0.6, 0.0)])
def test_an_episode_that_its_environment_once_called_a_success_is_one(value: float, share: float) -> None:
    found = evaluate(Still((1,), value), resolve("tests.envs.lucky:Lucky"), n_episodes=4)
    assert found.measures == {"success": share}
    assert found.returns == pytest.approx([5 * value] * 4)


def test_where_nothing_is_called_a_success_there_is_no_such_figure() -> None:
    assert not evaluate(Still((), 1), resolve("gym:CartPole-v1"), n_episodes=2).measures
    assert not evaluate(Still((2,)), resolve("ShortReacher-v1"), n_episodes=2).measures
