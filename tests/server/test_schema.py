"""Whatever is sent to the API, as its description allows or not: no failure of ours, every error in one shape."""

from __future__ import annotations

import contextlib

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from rl_teacher.server.app import create_app
from tests.feedback.lesson import make_lesson

EXAMPLES = 15
LIMITS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_request_makes_the_server_fail(tmp_path):
    lesson = make_lesson(tmp_path)
    query = lesson.ask(6)[0]
    token = lesson.store.create_token("admin", lesson.store.labeller("boss"), lifetime_seconds=None)
    headers = {"Host": "127.0.0.1:8123"}
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(lesson.store, 8123), headers=headers)
    headers |= {"Authorization": f"Bearer {token}"}
    real = {"experiment_id": lesson.experiment, "query_id": query, "name": "hop"}
    seen: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @given(case=operation.as_strategy(generation_mode=mode))
            @LIMITS
            def send(case) -> None:
                for name in case.path_parameters or {}:
                    case.path_parameters[name] = real.get(name, case.path_parameters[name])
                answer = case.call(headers=headers)
                seen.setdefault(case.operation.label, set()).add(answer.status_code)
                assert answer.status_code < 500, (case.operation.label, answer.text)
                if answer.status_code >= 400:
                    assert answer.json()["error"].keys() == {"code", "message"}, answer.text

            with contextlib.suppress(Unsatisfiable):  # where nothing is sent, nothing can be wrong
                send()
    assert len(seen) >= 20
    assert all(statuses & {200, 204, 404, 422, 428} for statuses in seen.values()), seen
    assert sum(200 in statuses for statuses in seen.values()) >= 8, seen
    lesson.store.close()
